import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { migrations } from './migrations.ts';
import { OperatorError } from './operator-error.ts';
import { hasDjango, ofDjango } from './schema.ts';

/** PostgreSQL normalizes texts of UTF-8 alone, and by that the search folds; in SQL_ASCII it would fail with the first user of staff. */
export async function requireUtf8(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ name: string; encoding: string }>`
    select current_database() as name, current_setting('server_encoding') as encoding`.execute(db);
  const { name = '', encoding = '' } = rows[0] ?? {};
  if (encoding === 'UTF8') return;
  throw new OperatorError(
    [
      `Expected a database of encoding UTF8; "${name}" is of ${encoding}, and a database keeps its encoding.`,
      `Make another (create database … encoding 'UTF8' template template0, with a locale of UTF-8 or C), and name it in DATABASE_URL.`,
    ].join('\n'),
  );
}

/** Of a table, some 200,000 users: written anew in some two seconds. */
const momentMegabytes = 32;

/** That none of these keeps a large table from those who use it. */
export async function requireNoRewrite(db: Kysely<Database>, pending: string[]): Promise<void> {
  for (const name of pending) {
    const table = migrations[name]?.rewrites;
    if (table === undefined) continue;
    const { rows } = await sql<{ megabytes: number }>`
      select pg_relation_size(oid) / 1024.0 ^ 2 as megabytes from pg_class
      where oid = to_regclass(format('%I.%I', current_schema(), ${table}::text))`.execute(db);
    const megabytes = Math.round(rows[0]?.megabytes ?? 0);
    if (megabytes <= momentMegabytes) continue;
    throw new OperatorError(
      [
        `${name} has PostgreSQL write the table ${table} anew, ${megabytes} MB: nobody can read or write it meanwhile.`,
        'It takes some six seconds for each 100 MB. Nothing was changed. To run it, when that suits: migrate --allow-rewrite',
      ].join('\n'),
    );
  }
}

/** That the first tables of ours are not put among those of a Django application, which may have some of the same names. */
export async function requireNoDjango(db: Kysely<Database>, schema: string): Promise<void> {
  if (await hasDjango(db, schema)) throw ofDjango(schema);
}

/** That what this version has still to run comes after all that others have run. */
export function requireNoOther(pending: string[], unknown: string[], schema: string): void {
  if (pending.length === 0 || unknown.length === 0) return;
  throw new OperatorError(
    [
      `The schema "${schema}" was migrated by another branch of the code: it has ${unknown.join(', ')}, which this version does not know,`,
      `and lacks ${pending.join(', ')}. Nothing was changed. Migrate with the version that knows all of them.`,
    ].join('\n'),
  );
}

import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';

/** Where the product's tables stand in the database of a Django application, and follow its own (adopt). */
export const mirrorSchema = 'users_api';

/**
 * The schema of the product's tables, there or yet to be made: of those in `search_path` the first that exists and this role may use. In an adopted database
 * that of the mirror, where commands go on from then.
 */
export async function readSchema(db: Kysely<Database>): Promise<string> {
  if (await isAdopted(db)) await sql`set search_path = ${sql.id(mirrorSchema)}`.execute(db);
  const { rows } = await sql<{ schema: string | null; path: string }>`
    select current_schema() as schema, current_setting('search_path') as path`.execute(db);
  const { schema = null, path = '' } = rows[0] ?? {};
  if (schema !== null) return schema;
  throw new OperatorError(
    [
      `Expected a schema for the tables: of search_path (${path}) none exists that this role may use.`,
      'Create one (create schema …), or set search_path to another: by alter role … set search_path = …, alter database … set search_path = …,',
      'or at the end of DATABASE_URL by ?options=-csearch_path%3D…',
    ].join('\n'),
  );
}

/** Whether adopt has made its tables here, and none of the product's stand where `search_path` leads. */
export async function isAdopted(db: Kysely<Database>): Promise<boolean> {
  const { rows } = await sql`
    select from pg_tables where schemaname = ${mirrorSchema} and tablename = 'adoption'
      and not exists (
        select from pg_tables as ours where ours.schemaname = current_schema() and ours.schemaname <> ${mirrorSchema} and ours.tablename = 'auth_tokens')`.execute(
    db,
  );
  return rows.length > 0;
}

export async function readDatabaseName(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  return rows[0]?.name ?? '';
}

/**
 * Throws where that schema has no tables of ours: of the same names in a later schema of `search_path` are another program's. And, unless they are
 * only read, where a Django application writes them.
 */
export async function requireTables(db: Kysely<Database>, use: 'read' | 'write' = 'write'): Promise<void> {
  const schema = await readSchema(db);
  if (use === 'write' && schema === mirrorSchema) await requireOwn(db);
  // Not by users, which another program may have in this schema, and not by the migrations' own table, which not each operator may read.
  const { rows } = await sql`select from pg_tables where schemaname = ${schema} and tablename = 'auth_tokens'`.execute(
    db,
  );
  if (rows.length === 0) throw await notMigrated(db, schema);
}

export const ofDjango = (schema: string): OperatorError =>
  new OperatorError(
    [
      `The schema "${schema}" is of a Django application (it has django_migrations), and the tables of the API do not belong among its own. Nothing was changed.`,
      "To answer from the application's users: adopt --inspect > mapping.json, then adopt mapping.json (docs/adopt.md).",
    ].join('\n'),
  );

/** That no Django application writes the tables: what is written beside it would not be in its own, and is lost at the next `adopt`. */
export async function requireOwn(db: Kysely<Database>): Promise<void> {
  if (!(await isAdopted(db))) return;
  throw new OperatorError(
    'This database is adopted from Django: users, groups, permissions and tokens are written there (its admin, its shell, manage.py), and the API shows it at once.',
  );
}

/** Whether a Django application has its tables there, of which some may be called as ours. */
export async function hasDjango(db: Kysely<Database>, schema: string): Promise<boolean> {
  const { rows } = await sql`
    select from pg_tables where schemaname = ${schema} and tablename = 'django_migrations'`.execute(db);
  return rows.length > 0;
}

/** For an operator who has still to run `migrate`, or `adopt`. */
export async function notMigrated(db: Kysely<Database>, schema: string): Promise<OperatorError> {
  if (await hasDjango(db, schema)) return ofDjango(schema);
  return new OperatorError(
    `The schema "${schema}" is not migrated. First: npm run migrate, or the command migrate of the function.`,
  );
}

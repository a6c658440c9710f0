import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { mirrorSchema } from '../schema.ts';
import type { Mirror } from './mirror.ts';

/** Our tables that are made of theirs. */
const followed = [
  'users',
  'user_presence',
  'groups',
  'user_groups',
  'user_permissions',
  'group_permissions',
  'auth_tokens',
] as const satisfies (keyof Database)[];

/** What is made of none of their tables: of a mapping that said more, or written by somebody else. `from`: table and condition, as SQL. */
function toLeftovers(mirrors: Mirror[]): { table: string; from: string }[] {
  return followed.flatMap((table) => {
    const parts = mirrors.filter((mirror) => mirror.table === table);
    const scopes = parts.flatMap(({ scope }) => (scope === undefined ? [] : [scope]));
    if (parts.length > scopes.length) return [];
    return [{ table, from: `${mirrorSchema}.${table} where not (${['false', ...scopes].join(' or ')})` }];
  });
}

/** Tokens before all: each would let somebody in. */
export async function deleteLeftovers(db: Kysely<Database>, mirrors: Mirror[]): Promise<void> {
  for (const { from } of toLeftovers(mirrors)) await sql.raw(`delete from ${from}`).execute(db);
}

/** A sentence for each table that has such rows. */
export async function listLeftovers(db: Kysely<Database>, mirrors: Mirror[]): Promise<string[]> {
  const sentences: string[] = [];
  for (const { table, from } of toLeftovers(mirrors)) {
    const { rows } = await sql.raw<{ count: number }>(`select count(*)::int as count from ${from}`).execute(db);
    const count = rows[0]?.count ?? 0;
    if (count > 0) sentences.push(`${table}: ${count} rows are of none of the application's tables.`);
  }
  return sentences;
}

import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import type { Place } from './reader-grants.ts';
import { logSettings } from './reader-log.ts';

/** Takes away what others have set, the role itself included: it may, and what it sets holds for all who log in by it later. */
export async function resetSettings(db: Kysely<Database>, role: string, { database }: Place): Promise<void> {
  await sql`alter role ${sql.id(role)} reset all`.execute(db);
  await sql`alter role ${sql.id(role)} in database ${sql.id(database)} reset all`.execute(db);
}

/** What is set besides `ours`, for the operator to judge; nothing where nothing is. */
export async function describeOtherSettings(
  db: Kysely<Database>,
  role: string,
  { database }: Place,
  ours: string[],
): Promise<string[]> {
  const known = [...ours, ...Object.keys(logSettings), 'search_path'];
  const { rows } = await sql<{ setting: string }>`
    select setting
    from pg_db_role_setting join pg_roles on pg_roles.oid = setrole left join pg_database on pg_database.oid = setdatabase,
      unnest(setconfig) as setting
    where rolname = ${role} and (setdatabase = 0 and split_part(setting, '=', 1) <> all (${known})
      or datname = ${database} and split_part(setting, '=', 1) <> 'search_path')
    order by setting`.execute(db);
  if (rows.length === 0) return [];
  return [
    `Somebody has set on the role besides: ${rows.map(({ setting }) => setting).join(', ')}. If it was none of you: SECURITY.md, "A leaked DATABASE_URL".`,
  ];
}

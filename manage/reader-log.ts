import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';

/** What keeps values out of the server's log, whatever it logs: what is searched for, and the hashes of tokens. */
export const logSettings = {
  // Of statements that take long, and of all, where the server logs those.
  log_parameter_max_length: '0',
  // Of statements that fail. The default, but the server may say otherwise.
  log_parameter_max_length_on_error: '0',
  // Where that module is loaded: plans hold the values that they were made for.
  'auto_explain.log_min_duration': '-1',
};

/** Gives the role the settings that whoever runs this may give it. Returns what an administrator has to run for the others, if any. */
export async function keepValuesOutOfLog(db: Kysely<Database>, role: string): Promise<string[]> {
  const wanted = sql.join(Object.entries(logSettings).map(([name, value]) => sql`(${name}, ${value})`));
  const { rows } = await sql<{ statement: string; isAllowed: boolean; isDone: boolean }>`
    select format('alter role %I set %s = %L', ${role}::text, name, value) as statement,
      context = 'user' or has_parameter_privilege(name, 'SET') as "isAllowed",
      exists (
        select from pg_db_role_setting join pg_roles on pg_roles.oid = setrole
        where rolname = ${role} and setdatabase = 0 and format('%s=%s', name, value) = any (setconfig)
      ) as "isDone"
    from (values ${wanted}) as wanted (name, value) join pg_settings using (name)
    order by name`.execute(db);
  for (const { statement } of rows.filter(({ isAllowed }) => isAllowed)) await sql.raw(statement).execute(db);
  const missing = rows.filter(({ isAllowed, isDone }) => !isAllowed && !isDone);
  if (missing.length === 0) return [];
  return [
    "The server's log may still hold what is searched for, and hashes of tokens. An administrator has to run:",
    ...missing.map(({ statement }) => `  ${statement}`),
  ];
}

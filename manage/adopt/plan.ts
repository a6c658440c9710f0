import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { OperatorError } from '../operator-error.ts';
import { completeReferences, findTable, readTables, type Table, toName } from './catalog.ts';
import { openScope, toHint } from './expressions.ts';
import type { Mapping } from './mapping.ts';
import type { Mirror, Plan } from './mirror.ts';
import { readPermission } from './permission.ts';
import { planGroups } from './plan-groups.ts';
import { planTokens } from './plan-tokens.ts';
import { planUsers } from './plan-users.ts';
import { quoteTable } from './quoting.ts';

/** What a mapping means in this database. Throws an OperatorError with a line for all that does not fit. */
export async function readPlan(db: Kysely<Database>, mapping: Mapping): Promise<Plan> {
  const tables = await readTables(db);
  const users = findTable(tables, mapping.users);
  const hint = toHint(mapping.users, tables.map(toName));
  if (!users) throw new OperatorError(`users: there is no table "${mapping.users}"${hint}`);
  completeReferences(tables, users);
  const faults: string[] = [];
  const scope = openScope(tables, users, mapping, faults);
  requireNumbers(users, faults);
  const fromUsers = planUsers(scope, mapping, faults);
  const permission = await readPermission(db, tables, mapping, faults);
  const fromGroups = planGroups(tables, users, mapping, permission, faults);
  const { tokenHash, mirrors: fromTokens } = planTokens(tables, users, mapping, faults);
  const mirrors = [...fromUsers, ...fromGroups, ...fromTokens];
  requireTables(mirrors, faults);
  if (faults.length > 0)
    throw new OperatorError(
      ['The mapping does not fit the database:', ...faults.map((fault) => `  ${fault}`)].join('\n'),
    );
  return { mirrors, tokenHash, ...(permission && { permission: permission.isStill }) };
}

function requireNumbers(users: Table, faults: string[]): void {
  const type = users.columns.find(({ name }) => name === users.primaryKey)?.type ?? 'of several columns';
  if (/^(smallint|integer|bigint)$/.test(type)) return;
  faults.push(
    `users: the primary key of "${toName(users)}" is ${type}. The API's ids are whole numbers, in filters and in answers: it cannot show these users.`,
  );
}

/** A trigger needs a table of its own, and its owner. */
function requireTables(mirrors: Mirror[], faults: string[]): void {
  const tables = new Set(mirrors.flatMap(({ sources }) => sources.map(({ table }) => table)));
  for (const table of tables) {
    if (!table.isPlain)
      faults.push(
        `"${toName(table)}" is no ordinary table (a view, a foreign one, or one of partitions), so it tells of no change.`,
      );
    else if (!table.isOwned)
      faults.push(`"${toName(table)}" belongs to "${table.owner}": run this as that role, or as a member of it.`);
    else if (table.hidesRows)
      faults.push(
        `"${toName(table)}" has row level security that binds its owner too, so rows would be missing: alter table ${quoteTable(table)} no force row level security, or run this as a role with BYPASSRLS.`,
      );
  }
}

/** That PostgreSQL is one that has what is needed, and lets this role make a schema. */
export async function requireServer(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{
    name: string;
    version: number;
    major: string;
    mayCreate: boolean;
    role: string;
    hasTrigrams: boolean;
  }>`
    select current_database() as name, current_setting('server_version_num')::int as version, current_setting('server_version') as major,
      has_database_privilege(current_database(), 'CREATE') as "mayCreate", current_user as role,
      exists (select from pg_available_extensions where name = 'pg_trgm') as "hasTrigrams"`.execute(db);
  const [server] = rows;
  if (!server) return;
  if (server.version < 150_000) throw new OperatorError(`Expected PostgreSQL 15 or newer; this is ${server.major}.`);
  if (!server.mayCreate)
    throw new OperatorError(
      `The role "${server.role}" may not make a schema here. The owner of the database has to run:\n  grant create on database "${server.name}" to "${server.role}"`,
    );
  if (!server.hasTrigrams)
    throw new OperatorError(
      'The server lacks the extension pg_trgm, by which the search finds: install its contrib package (postgresql-contrib).',
    );
}

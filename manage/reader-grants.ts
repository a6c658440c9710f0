import { type Kysely, sql } from 'kysely';
import { DEFAULT_MIGRATION_LOCK_TABLE, DEFAULT_MIGRATION_TABLE } from 'kysely/migration';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';

/**
 * What the API's statement of the list reads of each of the product's tables: of users who are not listed their ids alone, for the other
 * columns are null then. What is shown, and whose token it is, two functions say.
 */
export const readableColumns: { [Table in keyof Database]: (keyof Database[Table])[] } = {
  users: [
    'id',
    'list_flags',
    'list_created_at',
    'list_updated_at',
    'list_last_login',
    'list_username',
    'list_email',
    'search_text',
  ],
  user_presence: ['user_id', 'last_seen_at'],
  groups: [],
  user_groups: ['user_id', 'group_id'],
  permissions: [],
  group_permissions: [],
  user_permissions: [],
  auth_tokens: ['user_id', 'expires_at'],
};

/** What it calls, by the types of the arguments. */
const callableFunctions = {
  search_fold: 'text',
  search_pattern: 'text',
  list_details: 'bigint[], timestamptz',
  find_caller: 'bytea',
};

export const productTables: string[] = [
  ...Object.keys(readableColumns),
  DEFAULT_MIGRATION_TABLE,
  DEFAULT_MIGRATION_LOCK_TABLE,
];

/** The names of a database and of the schema in it that holds the product's tables. */
export type Place = { database: string; schema: string };

/**
 * Lets the role read what the API reads, and takes back what it may do beside that with the product's tables. Other tables of the schema may
 * be another program's, which has its own reasons to let the role read them, and they may have another owner.
 * Throws an OperatorError where the role cannot get to them.
 */
export async function grantReading(db: Kysely<Database>, role: string, { database, schema }: Place): Promise<void> {
  const reader = sql.id(role);
  const inSchema = (name: string) => sql.id(schema, name);
  await sql`grant connect on database ${sql.id(database)} to ${reader}`.execute(db);
  await sql`grant usage on schema ${sql.id(schema)} to ${reader}`.execute(db);
  await requireEntry(db, role, { database, schema });
  for (const [name, types] of Object.entries(callableFunctions)) {
    await sql`grant execute on function ${inSchema(name)}(${sql.raw(types)}) to ${reader}`.execute(db);
  }
  // Of a table, and with it of each of its columns.
  await sql`revoke all on ${sql.join(productTables.map(inSchema))} from ${reader}`.execute(db);
  for (const [table, columns] of Object.entries(readableColumns)) {
    if (columns.length === 0) continue;
    const names = sql.join(columns.map((column) => sql.id(column)));
    await sql`grant select (${names}) on ${inSchema(table)} to ${reader}`.execute(db);
  }
}

/** A grant by who does not own what it is on is no error to PostgreSQL but a warning, and grants nothing. */
async function requireEntry(db: Kysely<Database>, role: string, { database, schema }: Place): Promise<void> {
  const { rows } = await sql<{ remedy: string }>`
    select format('grant connect on database %I to %I with grant option', ${database}::text, current_user) as remedy
    where not has_database_privilege(${role}::name, ${database}, 'CONNECT')
    union all
    select format('grant usage on schema %I to %I with grant option', ${schema}::text, current_user)
    where not has_schema_privilege(${role}::name, ${schema}, 'USAGE')`.execute(db);
  if (rows.length === 0) return;
  const remedies = rows.map(({ remedy }) => `  ${remedy}`);
  throw new OperatorError([`You may not let "${role}" in. First the owner has to run:`, ...remedies].join('\n'));
}

import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';

/** What the API reads, and nothing that is not here: neither a new table nor a new column. */
const readableColumns: { [Table in keyof Database]?: (keyof Database[Table])[] } = {
  users: [
    'id',
    'username',
    'mobile_number',
    'email',
    'is_email_verified',
    'avatar',
    'first_name',
    'last_name',
    'gender',
    'invited_by_id',
    'invite_code',
    'is_active',
    'is_staff',
    'is_admin',
    'is_profile_completed',
    'last_login',
    'created_at',
    'updated_at',
    'list_flags',
    'list_created_at',
    'list_updated_at',
    'list_last_login',
    'search_text',
  ],
  user_presence: ['user_id', 'last_seen_at'],
  groups: ['id', 'name'],
  user_groups: ['user_id', 'group_id'],
  group_permissions: ['group_id', 'permission_code'],
  user_permissions: ['user_id', 'permission_code'],
  auth_tokens: ['token_hash', 'user_id', 'expires_at'],
};

/** The names of a database and of the schema in it that holds the product's tables. */
export type Place = { database: string; schema: string };

/** Lets the role read what the API reads, and takes back what it might read beside that. */
export async function grantReading(db: Kysely<Database>, role: string, { database, schema }: Place): Promise<void> {
  const reader = sql.id(role);
  const inSchema = (name: string) => sql.id(schema, name);
  await sql`grant connect on database ${sql.id(database)} to ${reader}`.execute(db);
  await sql`grant usage on schema ${sql.id(schema)} to ${reader}`.execute(db);
  const functions = sql`${inSchema('search_fold')}(text), ${inSchema('search_pattern')}(text)`;
  await sql`grant execute on function ${functions} to ${reader}`.execute(db);
  // Takes back what an earlier version read, columns included.
  await sql`revoke all on all tables in schema ${sql.id(schema)} from ${reader}`.execute(db);
  for (const [table, columns] of Object.entries(readableColumns)) {
    const names = sql.join(columns.map((column) => sql.id(column)));
    await sql`grant select (${names}) on ${inSchema(table)} to ${reader}`.execute(db);
  }
}

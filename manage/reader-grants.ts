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

/** Lets the role read what the API reads, and takes back what it might read beside that. */
export async function grantReading(db: Kysely<Database>, role: string): Promise<void> {
  const reader = sql.id(role);
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  await sql`grant connect on database ${sql.id(rows[0]?.name ?? '')} to ${reader}`.execute(db);
  await sql`grant usage on schema public to ${reader}`.execute(db);
  await sql`grant execute on function search_fold(text), search_pattern(text) to ${reader}`.execute(db);
  // Takes back what an earlier version read, columns included.
  await sql`revoke all on all tables in schema public from ${reader}`.execute(db);
  for (const [table, columns] of Object.entries(readableColumns)) {
    await sql`grant select (${sql.join(columns.map((column) => sql.id(column)))}) on ${sql.table(table)} to ${reader}`.execute(
      db,
    );
  }
}

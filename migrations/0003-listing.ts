import { type Kysely, sql } from 'kysely';

/** PostgreSQL writes the table anew to add a stored column. */
export const rewrites = 'users';

/**
 * What the list of users reads: stored columns that are null for whoever is not listed.
 * Generated and null, because PostgreSQL decides on heap-only updates by column values: an index on `last_login` itself, even a partial
 * one, would make every customer's sign-in dearer; these columns do not change for customers.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table users
      add column list_flags integer generated always as (
        case when is_staff or is_admin then
          is_active::int
          + is_staff::int * 2
          + is_admin::int * 4
          + is_customer::int * 8
          + is_profile_completed::int * 16
          + (coalesce(email, '') <> '')::int * 32
          + (coalesce(avatar, '') <> '')::int * 64
          + (coalesce(mobile_number, '') <> '')::int * 128
          + (coalesce(first_name, '') <> '')::int * 256
          + (coalesce(last_name, '') <> '')::int * 512
          + case gender when 'male' then 1024 when 'female' then 2048 when 'other' then 4096 else 0 end
        end) stored,
      add column list_created_at timestamptz generated always as (case when is_staff or is_admin then created_at end) stored,
      add column list_updated_at timestamptz generated always as (case when is_staff or is_admin then updated_at end) stored,
      add column list_last_login timestamptz generated always as (case when is_staff or is_admin then last_login end) stored,
      add column list_username text generated always as (case when is_staff or is_admin then username end) stored,
      add column list_email text generated always as (case when is_staff or is_admin then email end) stored,
      -- chr(31) stands between the fields: no term holds it, so none matches across two
      add column search_text text generated always as (
        case when is_staff or is_admin then search_fold(
          id::text || chr(31) || username || chr(31) || coalesce(mobile_number, '') || chr(31) || coalesce(email, '')
          || chr(31) || coalesce(first_name, '') || chr(31) || coalesce(last_name, ''))
        end) stored`.execute(db);
}

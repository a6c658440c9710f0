import { type Kysely, sql } from 'kysely';

/**
 * What the list of users reads: stored columns that are null for whoever is not listed, and the indexes over them.
 * Generated and null, because PostgreSQL decides on heap-only updates by column values: an index on `last_login` itself, even a partial
 * one, would make every customer's sign-in dearer; these columns do not change for customers.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create extension if not exists pg_trgm`.execute(db);
  await addListingColumns(db);
  await createIndexes(db);
  await createOrderings(db);
}

async function addListingColumns(db: Kysely<unknown>): Promise<void> {
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

async function createIndexes(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index users_list on users (id)
      include (list_flags, list_created_at, list_updated_at, list_last_login)
      where list_flags is not null`.execute(db);
  const trigrams = sql.id(await readTrigramSchema(db), 'gin_trgm_ops');
  await sql`
    create index users_search_trgm on users using gin (search_text ${trigrams}) where search_text is not null`.execute(
    db,
  );
  await sql`create index users_invited_by on users (invited_by_id) where invited_by_id is not null`.execute(db);
  await sql`create index user_groups_group_user on user_groups (group_id, user_id)`.execute(db);
  // `has_token` asks whether a token has expired: with the answer in the index, it is merged with the listing index, and no table is read.
  await sql`create index auth_tokens_user on auth_tokens (user_id) include (expires_at)`.execute(db);
  await sql`create index user_presence_seen on user_presence (last_seen_at)`.execute(db);
}

/** What `ordering=gender` sorts by, spelled as it is there: an index on an expression is used by that expression alone. */
const genderRank =
  'case when (list_flags & 2048) <> 0 then 0 when (list_flags & 1024) <> 0 then 1 when (list_flags & 4096) <> 0 then 2 end';

/** What filters may ask besides, so that a range of times is read from the index alone. */
const filtered = ['list_flags', 'list_created_at', 'list_updated_at', 'list_last_login'];

/**
 * The orderings, besides that by id. Read backwards an index has its nulls first, and they are to be last in both directions: what may be
 * null has an index for each.
 */
const orderings = {
  username: ['list_username'],
  email: ['list_email, id', 'list_email desc nulls last, id desc'],
  gender: [`(${genderRank}), id`, `(${genderRank}) desc nulls last, id desc`],
  last_login: ['list_last_login, id', 'list_last_login desc nulls last, id desc'],
  created_at: ['list_created_at, id'],
  updated_at: ['list_updated_at, id'],
};

async function createOrderings(db: Kysely<unknown>): Promise<void> {
  for (const [field, directions] of Object.entries(orderings)) {
    for (const [index, keys] of directions.entries()) {
      const name = `users_list_${field}${index === 0 ? '' : '_desc'}`;
      const others = filtered.filter((column) => !keys.includes(column));
      // PostgreSQL takes a range of times for a fiftieth of what it is, and would look the rest up in the table.
      const include = filtered.some((column) => keys.startsWith(column)) ? `include (${others.join(', ')})` : '';
      await sql`create index ${sql.id(name)} on users (${sql.raw(keys)}) ${sql.raw(include)} where list_flags is not null`.execute(
        db,
      );
    }
  }
}

/** Where pg_trgm stands: whoever installed it before may have put it into a schema that is not in `search_path`. */
async function readTrigramSchema(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select nspname as name from pg_extension join pg_namespace on pg_namespace.oid = extnamespace where extname = 'pg_trgm'`.execute(
    db,
  );
  const [extension] = rows as [{ name: string }];
  return extension.name;
}

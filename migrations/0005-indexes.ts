import { type Kysely, type RawBuilder, sql } from 'kysely';

/** `create index concurrently` is refused inside one. What a run that broke off has made, the next one leaves or makes anew. */
export const outsideTransaction = true;

/** The indexes of the list, made while others read and write the tables. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createIndexes(db);
  await createOrderings(db);
}

/** `definition`: table, keys and the rest. */
async function createIndex(db: Kysely<unknown>, name: string, definition: RawBuilder<unknown>): Promise<void> {
  // One that broke off is there, and serves nobody.
  const { rows } = await sql`
    select from pg_index where indexrelid = to_regclass(format('%I.%I', current_schema(), ${name}::text)) and not indisvalid`.execute(
    db,
  );
  if (rows.length > 0) await sql`drop index concurrently ${sql.id(name)}`.execute(db);
  // Concurrently it waits for whoever has a snapshot of this database, such as a backup; where nobody was ever written there is nothing to wait for.
  const { rows: written } = await sql`select where pg_relation_size('users') > 0`.execute(db);
  const how = written.length > 0 ? sql`concurrently` : sql``;
  await sql`create index ${how} if not exists ${sql.id(name)} on ${definition}`.execute(db);
}

async function createIndexes(db: Kysely<unknown>): Promise<void> {
  await createIndex(
    db,
    'users_list',
    sql`users (id) include (list_flags, list_created_at, list_updated_at, list_last_login) where list_flags is not null`,
  );
  const trigrams = sql.id(await readTrigramSchema(db), 'gin_trgm_ops');
  await createIndex(
    db,
    'users_search_trgm',
    sql`users using gin (search_text ${trigrams}) where search_text is not null`,
  );
  await createIndex(db, 'users_invited_by', sql`users (invited_by_id) where invited_by_id is not null`);
  await createIndex(db, 'user_groups_group_user', sql`user_groups (group_id, user_id)`);
  // `has_token` asks whether a token has expired: with the answer in the index, it is merged with the listing index, and no table is read.
  await createIndex(db, 'auth_tokens_user', sql`auth_tokens (user_id) include (expires_at)`);
  await createIndex(db, 'user_presence_seen', sql`user_presence (last_seen_at)`);
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
      await createIndex(db, name, sql`users (${sql.raw(keys)}) ${sql.raw(include)} where list_flags is not null`);
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

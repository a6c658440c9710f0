import { type Kysely, sql } from 'kysely';

/** Indexes for the two requests that read much beside the listing index. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // `has_token` asks whether a token has expired: with the answer in the index, it is merged with the listing index, and no table is read.
  await sql`drop index auth_tokens_user`.execute(db);
  await sql`create index auth_tokens_user on auth_tokens (user_id) include (expires_at)`.execute(db);
  // `-email` has nulls last, in neither direction of the unique index.
  await sql`
    create index users_list_email_desc on users (email desc nulls last, id desc) where list_flags is not null`.execute(
    db,
  );
}

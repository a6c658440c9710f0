import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { withLocks } from './locks.ts';
import { requireMigrated, vacuumUsers } from './migrate.ts';
import { requireOwn } from './schema.ts';

/**
 * `gather-listed`: puts the rows of the listed together, at the beginning of the table. Each write takes its page out of the visibility map,
 * and the list looks into the table for every listed user on such a page: scattered among customers, all of them pay for customers' sign-ins.
 * Locks `users` while it rewrites it, some ten seconds for a million.
 */
export async function gatherListed(db: Kysely<Database>, args: string[]): Promise<string[]> {
  parseArgs({ args });
  await requireMigrated(db);
  await requireOwn(db); // whose writes would wait for it
  const lines = await db
    .connection()
    .execute((connection) => withLocks(connection, () => connection.transaction().execute(gather)));
  await vacuumUsers(db);
  return lines;
}

async function gather(trx: Kysely<Database>): Promise<string[]> {
  await sql`lock table users in access exclusive mode`.execute(trx);
  const before = await readPlace(trx);
  await sql`create index users_gathered on users ((list_flags is null))`.execute(trx);
  await sql`cluster users using users_gathered`.execute(trx);
  await sql`drop index users_gathered`.execute(trx);
  const after = await readPlace(trx);
  return [`gathered ${after.listed} listed users, from ${before.pages} pages of the table into ${after.pages}`];
}

async function readPlace(trx: Kysely<Database>): Promise<{ listed: number; pages: number }> {
  const { rows } = await sql<{ listed: number; pages: number }>`
    select count(*)::int as listed, count(distinct (ctid::text::point)[0])::int as pages from users where list_flags is not null`.execute(
    trx,
  );
  return rows[0] as { listed: number; pages: number };
}

import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { requireMigrated, vacuumUsers } from './migrate.ts';
import { OperatorError } from './operator-error.ts';

/** Whoever asks for users meanwhile waits as long as this command waits for those who use the table. */
const lockTimeout = '3s';

/**
 * `gather-listed`: puts the rows of the listed together, at the beginning of the table. Each write takes its page out of the visibility map,
 * and the list looks into the table for every listed user on such a page: scattered among customers, all of them pay for customers' sign-ins.
 * Locks `users` while it rewrites it, some ten seconds for a million.
 */
export async function gatherListed(db: Kysely<Database>, args: string[]): Promise<string[]> {
  parseArgs({ args });
  await requireMigrated(db);
  const lines = await db.transaction().execute(async (trx) => {
    await lockUsers(trx);
    const before = await readPlace(trx);
    await sql`create index users_gathered on users ((list_flags is null))`.execute(trx);
    await sql`cluster users using users_gathered`.execute(trx);
    await sql`drop index users_gathered`.execute(trx);
    const after = await readPlace(trx);
    return [`gathered ${after.listed} listed users, from ${before.pages} pages of the table into ${after.pages}`];
  });
  await vacuumUsers(db);
  return lines;
}

async function lockUsers(trx: Kysely<Database>): Promise<void> {
  await sql`set local lock_timeout = ${sql.lit(lockTimeout)}`.execute(trx);
  try {
    await sql`lock table users in access exclusive mode`.execute(trx);
  } catch (error) {
    if ((error as { code?: unknown }).code !== '55P03') throw error;
    throw new OperatorError(
      `Others used the table for ${lockTimeout}, and nothing was changed: a long transaction, or a vacuum. Try again when it has ended.`,
    );
  }
}

async function readPlace(trx: Kysely<Database>): Promise<{ listed: number; pages: number }> {
  const { rows } = await sql<{ listed: number; pages: number }>`
    select count(*)::int as listed, count(distinct (ctid::text::point)[0])::int as pages from users where list_flags is not null`.execute(
    trx,
  );
  return rows[0] as { listed: number; pages: number };
}

import { setTimeout } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { withLocks } from '../locks.ts';
import type { Say } from '../note.ts';
import { OperatorError } from '../operator-error.ts';
import { briefly, requireNoFault } from './adoption.ts';
import { inBatch, shareOut, startProgress, toTotal } from './batch.ts';
import { copyToEmpty } from './copy.ts';
import { deleteLeftovers } from './leftovers.ts';
import type { Mirror, Plan } from './mirror.ts';
import { toDelete, toDifferences, toMissing, toUpsert } from './mirror-sql.ts';
import { quoteTable } from './quoting.ts';

/** How often it is looked again before somebody else must be the cause. */
const mostPasses = 20;

export type Difference = { kind: 'missing' | 'extra' | 'different'; count: number; keys: string };

/** For comparisons of whole tables: in memory, and without JIT, which takes longer to compile than it saves. */
export async function allowComparisons(db: Kysely<Database>): Promise<void> {
  await sql`set work_mem = '128MB'`.execute(db);
  await sql`set jit = off`.execute(db);
}

/** What differs between our table and theirs, as of one moment. */
export async function listDifferences(db: Kysely<Database>, mirror: Mirror): Promise<Difference[]> {
  const { rows } = await sql.raw<Difference>(toDifferences(mirror)).execute(db);
  return rows;
}

/**
 * Writes what differs, until nothing does. The triggers are there already. What comes between two statements of ours, or was locked, the next pass
 * sees: at its end nothing differs as of one moment, nor will it when those who write just then have ended.
 */
export async function fill(
  connections: [Kysely<Database>, Kysely<Database>],
  { mirrors }: Plan,
  say: Say,
): Promise<void> {
  const [db] = connections;
  for (const connection of connections) {
    // What a crash of the server takes away it takes from the end: the note that all is there goes before what is there.
    await sql`set synchronous_commit = off`.execute(connection);
    await allowComparisons(connection);
  }
  await deleteLeftovers(db, mirrors);
  let hasWritten = await copyToEmpty(connections, mirrors, say);
  for (let pass = 1; pass <= mostPasses; pass++) {
    if (hasWritten) await awaitWriters(db, mirrors);
    let found = 0;
    await shareOut(connections, mirrors, async (connection, mirror) => {
      const count = await writeDifferences(connection, mirror, say);
      found += count;
    });
    hasWritten = found > 0;
    await requireNoFault(db);
    found += await catchUp(db, mirrors);
    if (found === 0) return;
    if (pass > 2) await setTimeout(1000);
  }
  throw new OperatorError(
    `After ${mostPasses} passes something still differs (adopt --check says what). Does a transaction that stays open hold these users? Run the same again when it has ended.`,
  );
}

/**
 * Until whoever has begun to write these tables has ended. A deletion that found no row of ours deleted none, and what was written here since may
 * be the very row, which is theirs until the deletion is committed; an update may have found ours as theirs will be, by chance.
 */
async function awaitWriters(db: Kysely<Database>, mirrors: Mirror[]): Promise<void> {
  const tables = new Set(mirrors.flatMap(({ sources }) => sources.map(({ table }) => quoteTable(table))));
  for (const table of tables)
    await withLocks(
      db,
      () => db.transaction().execute((trx) => sql.raw(`lock table ${table} in share mode`).execute(trx)),
      briefly,
    );
}

/** Has the triggers follow what others held when it was written, by updates of no row. Returns how much of it they still hold. */
async function catchUp(db: Kysely<Database>, mirrors: Mirror[]): Promise<number> {
  for (const { sources } of mirrors) {
    const [own] = sources;
    if (!own) continue;
    const [table, key] = [sql.id(own.table.schema, own.table.name), sql.id(own.key)];
    await sql`update ${table} set ${key} = ${key} where false`.execute(db);
  }
  const { rows } = await sql`select from late`.execute(db);
  return rows.length;
}

/** Returns how many rows differed. */
async function writeDifferences(db: Kysely<Database>, mirror: Mirror, say: Say): Promise<number> {
  const differences = await listDifferences(db, mirror);
  const total = toTotal(differences);
  const progress = startProgress(mirror.table, total, say);
  for (const { kind, keys, count } of differences) {
    await writeBatch(db, mirror, kind, keys.slice(1, -1).split(','));
    progress(count);
  }
  return total;
}

/** Where a row is locked it lets go, and writes the others. */
async function writeBatch(
  db: Kysely<Database>,
  mirror: Mirror,
  kind: Difference['kind'],
  keys: string[],
): Promise<void> {
  const isWritten = await inBatch(db, (trx) => writeRows(trx, mirror, kind, `'{${keys.join()}}'::bigint[]`));
  if (isWritten || keys.length === 1) return;
  const half = Math.ceil(keys.length / 2);
  await writeBatch(db, mirror, kind, keys.slice(0, half));
  await writeBatch(db, mirror, kind, keys.slice(half));
}

async function writeRows(trx: Kysely<Database>, mirror: Mirror, kind: Difference['kind'], keys: string): Promise<void> {
  if (kind === 'missing') await sql.raw(toMissing(mirror, keys)).execute(trx);
  else if (kind === 'extra') await sql.raw(toDelete(mirror, keys)).execute(trx);
  else await sql.raw(toUpsert(mirror, keys)).execute(trx);
}

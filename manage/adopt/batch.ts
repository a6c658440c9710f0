import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import type { Say } from '../note.ts';

/** Rows that are written in some 50 ms, for which a writer of one of these rows has to wait: those of listed users have more indexes. */
export const batchSizes = { listed: 500, others: 4000 };

/** A lock that was waited for in vain, and a row that somebody else has inserted meanwhile. */
const passing = ['55P03', '23505'];

/**
 * Runs it in a transaction that never waits for long, for others wait for its rows, perhaps those for whom it waits. Returns whether it was
 * written: not where a row is locked, or has come from elsewhere.
 */
export async function inBatch(
  db: Kysely<Database>,
  write: (trx: Transaction<Database>) => Promise<unknown>,
): Promise<boolean> {
  try {
    await db.transaction().execute(async (trx) => {
      // By keys, whatever the planner thinks of their number.
      await sql
        .raw(
          'set local enable_hashjoin = off; set local enable_mergejoin = off; set local enable_seqscan = off; set local lock_timeout = 50',
        )
        .execute(trx);
      await write(trx);
    });
    return true;
  } catch (error) {
    if (!passing.includes((error as { code?: string }).code ?? '')) throw error;
    return false;
  }
}

/** Of more rows than this it is said how far it has come. */
const many = 50_000;

/** To be called with the number of rows of each batch. */
export function startProgress(table: string, total: number, say: Say): (count: number) => void {
  let done = 0;
  let batches = 0;
  return (count) => {
    done += count;
    batches += 1;
    if (total > many && (batches % 25 === 0 || done === total)) say(`${table}: ${done} of ${total} rows`);
  };
}

export const toTotal = (batches: { count: number }[]): number => batches.reduce((sum, { count }) => sum + count, 0);

/** Each connection takes the next item when it is free. Where one fails none takes another, and all have stopped when this throws. */
export async function shareOut<Item>(
  connections: Kysely<Database>[],
  items: Iterable<Item>,
  work: (connection: Kysely<Database>, item: Item) => Promise<void>,
): Promise<void> {
  // A generator, which an error ends for all who take from it.
  const queue = (function* () {
    yield* items;
  })();
  const ends = await Promise.allSettled(
    connections.map(async (connection) => {
      for (const item of queue) await work(connection, item);
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

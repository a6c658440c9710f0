import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import type { Say } from '../note.ts';

/** Rows that are written in some 50 ms, for which a writer of one of these rows has to wait: those of listed users have more indexes. */
export const batchSizes = { listed: 500, others: 4000 };

/**
 * Runs it in a transaction that never waits for long, for others wait for its rows, perhaps those for whom it waits. Returns whether it was
 * written: not where a row is locked.
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
    if ((error as { code?: string }).code !== '55P03') throw error;
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

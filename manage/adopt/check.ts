import type { Kysely } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { OperatorError } from '../operator-error.ts';
import { readAdoptedMapping, readClosed } from './adoption.ts';
import { toTotal } from './batch.ts';
import { allowComparisons, type Difference, listDifferences } from './fill.ts';
import { listLeftovers } from './leftovers.ts';
import type { Mirror } from './mirror.ts';
import { countRows } from './mirror-sql.ts';
import { readPlan } from './plan.ts';

/** How many ids of what differs are told. */
const mostTold = 5;

/**
 * `adopt --check`: a line for each table that is as theirs. Throws an OperatorError with what differs, or closes the API, and what to do; changes
 * nothing.
 */
export async function check(db: Kysely<Database>): Promise<string[]> {
  const mapping = await readAdoptedMapping(db);
  const faults: string[] = [];
  const lines: string[] = [];
  const reason = await readClosed(db);
  if (reason !== null) faults.push(`closed: ${reason}.`);
  const plan = await readPlan(db, mapping).catch((error: unknown) => {
    if (!(error instanceof OperatorError)) throw error;
    faults.push(...error.message.split('\n'));
  });
  await allowComparisons(db);
  for (const mirror of plan?.mirrors ?? []) {
    const differences = await listDifferences(db, mirror);
    if (differences.length > 0) faults.push(toSentence(mirror, differences));
    else lines.push(await countRows(db, mirror));
  }
  if (plan) faults.push(...(await listLeftovers(db, plan.mirrors)));
  if (faults.length === 0) return lines;
  throw new OperatorError(
    [...faults, ...lines, 'To mend it, run adopt; with another mapping where a column has another name.'].join('\n'),
  );
}

function toSentence({ table, key, sources }: Mirror, differences: Difference[]): string {
  const parts = Object.entries(Object.groupBy(differences, ({ kind }) => kind)).map(([kind, batches = []]) => {
    const total = toTotal(batches);
    const ids = (batches[0]?.keys ?? '').slice(1, -1).split(',').slice(0, mostTold);
    return `${total} ${kind} (${key} ${ids.join(', ')}${total > ids.length ? ', …' : ''})`;
  });
  return `${table}: not as in ${sources.map((source) => source.table.name).join(' and ')}: ${parts.join('; ')}.`;
}

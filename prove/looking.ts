import type { Answer, Asker, Fault } from './asking.ts';
import type { CauseId } from './causes.ts';
import { type Comparison, compareAnswers, type Difference, toDifferenceKey } from './comparing.ts';
import { compareLinks } from './links.ts';
import type { Side } from './options.ts';
import type { Query } from './queries.ts';

/** Both sides' answers to one query, and what differs. */
export type Look = Comparison & { old: Answer; own: Answer };

/** Which sides failed. */
export type Failed = { failed: Side[] };

/** Of a run: whom it asks, and where the old API was asked. */
export type Context = { askers: Record<Side, Asker>; oldOrigin: string };

/** How often a difference must be seen before it is called one. */
const looks = 3;

/** Asks the old API, then the new one. */
export async function look(query: Query, context: Context, { isWalked = false } = {}): Promise<Look | Failed> {
  const old = await context.askers.old.ask(query);
  const own = await context.askers.new.ask(query);
  if ('fault' in old || 'fault' in own) return { failed: [...toFailed('old', old), ...toFailed('new', own)] };
  const { differences, asides, fields } = compareAnswers(old, own, context.oldOrigin);
  const isAlike = differences.every(({ kind }) => kind === 'field');
  if (!isAlike || !old.page || !own.page) return { old, own, differences, asides, fields };
  const links = await compareLinks(old.page, own.page, context.askers, { isWalked });
  return {
    old,
    own,
    differences: [...differences, ...links.differences],
    asides: [...asides, ...links.asides],
    fields,
  };
}

const toFailed = (side: Side, answer: Answer | Fault): Side[] => ('fault' in answer ? [side] : []);

/** Looks again where something differs: what changes between two questions is no difference of the APIs. */
export async function lookUntilSure(query: Query, context: Context, { isWalked = false } = {}): Promise<Look | Failed> {
  const first = await look(query, context, { isWalked });
  if ('failed' in first) return first;
  let { differences } = first;
  const passed = new Set<CauseId>();
  let last = first;
  for (let count = 1; count < looks && differences.length > 0; count += 1) {
    const again = await look(query, context, { isWalked });
    if ('failed' in again) return again;
    const seen = new Map(again.differences.map((difference) => [toDifferenceKey(difference), difference]));
    for (const { field } of differences.filter((difference) => !seen.has(toDifferenceKey(difference)))) {
      passed.add(field === 'is_online' ? 'is-online' : 'passing');
    }
    differences = differences.filter((difference) => seen.has(toDifferenceKey(difference)));
    last = again;
  }
  return { ...last, differences, asides: [...new Set([...last.asides, ...passed])] };
}

/** Whether an API answers two queries alike, presence apart. */
export function isAlike(one: Answer, other: Answer, oldOrigin: string): boolean {
  const { differences } = compareAnswers(one, other, oldOrigin);
  return differences.every(({ field }: Difference) => field === 'is_online');
}

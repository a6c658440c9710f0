import { parameters } from '../lib/users/query.ts';
import { singles } from './growth.ts';
import { met, ms } from './markdown.ts';
import { openHandler } from './subject.ts';

export type Worst = {
  query: string;
  milliseconds: number;
  /** What the instance answers at a time limit below that, and to the next request. */
  limited: { limitMs: number; status: number; milliseconds: number; next: number };
};

/** Values that make the database work: many terms that no index serves, all groups, deep offsets, wide pages. */
const heavy: Record<string, string[]> = {
  search: ['a,e,i,o,u,n,r,s,t,l', 'an,er,ei,ar', '"example"', 'user,example,mail'],
  groups_in: [Array.from({ length: 100 }, (_, index) => index + 1).join()],
  offset: ['900000', '500000'],
  limit: ['1000'],
  ordering: [
    'email',
    '-username',
    'gender,-email',
    'last_login,email',
    '-created_at,email,gender,last_login,updated_at',
  ],
};

const choices = Object.keys(parameters)
  .filter((name) => !['after', 'before', 'format'].includes(name))
  .map((name) => ({ name, values: heavy[name] ?? [singles[name]?.split('=')[1] ?? 'true'] }));

/**
 * The slowest documented request that a greedy search finds: from nothing, it adds whatever parameter makes the request slowest, and ends
 * when none makes it slower by a twentieth.
 */
export async function findWorst(databaseUrl: string): Promise<Worst> {
  const handler = await openHandler(databaseUrl, { QUERY_TIMEOUT_MS: '12000' });
  let worst = { given: new Map<string, string>(), milliseconds: 0 };
  for (let improved = true; improved; ) {
    improved = false;
    let best = worst;
    for (const { name, values } of choices.filter(({ name }) => !worst.given.has(name))) {
      for (const value of values) {
        const given = new Map([...worst.given, [name, value]]);
        const milliseconds = await time(handler, toQuery(given));
        if (milliseconds > best.milliseconds) best = { given, milliseconds };
      }
    }
    if (best.milliseconds > worst.milliseconds * 1.05) {
      worst = best;
      improved = true;
    }
  }
  const query = toQuery(worst.given);
  const limitMs = Math.max(100, Math.round(worst.milliseconds / 4));
  const limited = await openHandler(databaseUrl, { QUERY_TIMEOUT_MS: String(limitMs) });
  await limited('');
  const start = performance.now();
  const { status } = await limited(query);
  const milliseconds = performance.now() - start;
  const next = (await limited('limit=1&id_max=100')).status;
  return { query, milliseconds: worst.milliseconds, limited: { limitMs, status, milliseconds, next } };
}

const toQuery = (given: ReadonlyMap<string, string>): string => new URLSearchParams([...given]).toString();

async function time(handler: (query: string) => Promise<unknown>, query: string): Promise<number> {
  const start = performance.now();
  await handler(query);
  return performance.now() - start;
}

export function toWorstText({ query, milliseconds, limited }: Worst): string {
  return [
    `A greedy search over the parameters found, in C, ${ms(milliseconds)} ms for\n\n\`?${query}\``,
    `With a time limit of ${limited.limitMs} ms the same request is a ${limited.status} after ${ms(limited.milliseconds)} ms, and the instance answers the next one with ${limited.next}: ${met(limited.status === 503 && limited.next === 200)}.`,
  ].join('\n\n');
}

import { readPairs } from '../lib/pairs.ts';
import type { Parameter } from '../lib/parameters.ts';
import { parameters } from '../lib/users/query.ts';
import type { LogEntry, NoEntry } from './access-log.ts';

/** A query that clients send, once. */
export type Query = {
  method: 'GET' | 'HEAD';
  /** False of the path without its slash, which is redirected. */
  hasSlash: boolean;
  /** As one of the requests had it. */
  rawQuery: string;
  /** How many requests it stands for. */
  weight: number;
};

/** How many lines of the log were what. */
export type LineTally = {
  taken: number;
  otherMethods: number;
  otherPaths: number;
  malformed: number;
  withoutQuery: number;
};

/** Names that mean something here or in APIs like it, whose values so make a difference; that of a cache buster makes none. */
const meaningful = new Set(
  Object.entries<Parameter<unknown>>(parameters).flatMap(([name, { alsoCalled = [] }]) => [name, ...alsoCalled]),
);

/**
 * The distinct queries of the list, those first that were sent most. The order of different names makes no difference, nor does the value of a
 * name that is nothing to the list: `_=1` and `_=2` are one query.
 */
export async function collectQueries(
  entries: AsyncIterable<LogEntry | NoEntry>,
  path: string,
): Promise<{ queries: Query[]; lines: LineTally }> {
  const lines: LineTally = { taken: 0, otherMethods: 0, otherPaths: 0, malformed: 0, withoutQuery: 0 };
  const queries = new Map<string, Query>();
  for await (const entry of entries) {
    if (entry === 'malformed') lines.malformed += 1;
    else if (entry === 'without a query') lines.withoutQuery += 1;
    else take(entry);
  }
  return { queries: [...queries.values()].sort((a, b) => b.weight - a.weight), lines };

  function take({ method, target }: LogEntry): void {
    const [address = '', ...rest] = target.split('#')[0]?.split('?') ?? [];
    const rawQuery = rest.join('?');
    const pathname = address.replace(/^https?:\/\/[^/]*/, '') || path;
    if (!`${pathname}/`.replace(/\/\/$/, '/').endsWith(path)) lines.otherPaths += 1;
    else if (method !== 'GET' && method !== 'HEAD') lines.otherMethods += 1;
    else {
      lines.taken += 1;
      const hasSlash = pathname.endsWith('/');
      const key = JSON.stringify([method, hasSlash, toKey(rawQuery)]);
      const query = queries.get(key) ?? { method, hasSlash, rawQuery, weight: 0 };
      query.weight += 1;
      queries.set(key, query);
    }
  }
}

function toKey(rawQuery: string): unknown {
  const pairs = [...readPairs(rawQuery)].map(([name, texts]) => (meaningful.has(name) ? [name, texts] : [name]));
  return pairs.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

/** Once each, in the order given. */
export const namesOf = ({ rawQuery }: Pick<Query, 'rawQuery'>): string[] => [...readPairs(rawQuery).keys()];

/** The query without the parameters of these names. */
export function without(query: Query, names: readonly string[]): Query {
  const pieces = query.rawQuery
    .split('&')
    .filter((piece) => piece !== '' && !names.includes(namesOf({ rawQuery: piece })[0] ?? ''));
  return { ...query, rawQuery: pieces.join('&') };
}

/** The texts of a parameter that are not empty. */
export const textsOf = ({ rawQuery }: Pick<Query, 'rawQuery'>, name: string): string[] =>
  readPairs(rawQuery)
    .get(name)
    ?.flatMap((text) => text || []) ?? [];

/** A name as a report has it: one that does not look like a name is a client's text, and may be a person's. */
export const toShownName = (name: string): string => (/^[a-z_][\w.-]{0,39}(\[\w*\])*$/i.test(name) ? name : 'other');

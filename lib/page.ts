import { integer } from './kinds.ts';
import type { Parameter } from './parameters.ts';

export type Page<Result> = { count: number; next: string | null; previous: string | null; results: Result[] };

/** The slice of a list that a request asks for. */
export type Slice = { limit: number; offset: number };

/** Where another slice of the list begins: at an offset, and exactly at a cursor where there is one. */
export type Place = { offset: number; cursor?: string | undefined };

/** The slices before and after one; null where the list begins or ends. */
export type Neighbours = { previous: Place | null; next: Place | null };

/** Absolute URLs, by their relation types of RFC 8288. */
export type Links = { first: string; prev: string | null; next: string | null; last: string };

export const defaultLimit = 10;
const maxLimit = 1000;

const wantedLimit = integer({ minimum: 1, example: 5 });
const wantedOffset = integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, example: 10 });

export const paging = {
  limit: {
    alsoCalled: ['page_size', 'per_page', 'size'],
    doc: `Number of results per page; more than ${maxLimit} is taken as ${maxLimit}.`,
    ...wantedLimit,
    schema: { ...wantedLimit.schema, default: defaultLimit },
    read: (text) => Math.min(wantedLimit.read(text), maxLimit),
  },
  offset: {
    ...wantedOffset,
    alsoCalled: ['page', 'start', 'skip'],
    doc: 'Number of results to skip.',
    schema: { ...wantedOffset.schema, default: 0 },
  },
} as const satisfies Record<string, Parameter<number>>;

/** The envelope of DRF's LimitOffsetPagination. */
export function toPage<Result>({ prev, next }: Links, count: number, results: Result[]): Page<Result> {
  return { count, next, previous: prev, results };
}

/**
 * As JSON, in pieces, a result each: one string of a large page would take three times as long to make, most of it for memory that the
 * system hands out anew each time.
 */
export function toJson({ results, ...envelope }: Page<unknown>): string[] {
  const pieces = results.map((result, index) => `${index === 0 ? '' : ','}${JSON.stringify(result)}`);
  return [`${JSON.stringify(envelope).slice(0, -1)},"results":[`, ...pieces, ']}'];
}

/** By offsets. Who knows better whether there is more on either side, as a page at a cursor does, says so. */
export function toNeighbours(
  { limit, offset }: Slice,
  count: number,
  { hasPrevious = offset > 0, hasNext = offset + limit < count } = {},
): Neighbours {
  return {
    previous: hasPrevious ? { offset: Math.max(0, Math.min(offset, count) - limit) } : null,
    next: hasNext ? { offset: offset + limit } : null,
  };
}

/** `url` is the list's own, absolute and without a query; `given` are the parameters that each link keeps. */
export function toLinks(
  url: string,
  { limit, given }: { limit: number; given: ReadonlyMap<string, string> },
  { count, previous, next }: Neighbours & { count: number },
): Links {
  const toLink = (offset: number, cursor: { after?: string | undefined; before?: string | undefined } = {}) =>
    `${url}?${toQuery(given, { limit: String(limit), offset: offset > 0 ? String(offset) : undefined, ...cursor })}`;
  return {
    first: toLink(0),
    prev: previous && toLink(previous.offset, { before: previous.cursor }),
    next: next && toLink(next.offset, { after: next.cursor }),
    last: toLink(count === 0 ? 0 : count - 1 - ((count - 1) % limit)),
  };
}

function toQuery(given: ReadonlyMap<string, string>, own: Record<string, string | undefined>): URLSearchParams {
  const query = new URLSearchParams([...given]);
  query.delete('after');
  query.delete('before');
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  query.sort();
  return query;
}

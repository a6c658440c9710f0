import { integer, type Parameter } from './parameters.ts';

export type Page<Result> = { count: number; next: string | null; previous: string | null; results: Result[] };

/** The slice of a list that a request asks for, and the parameters its links must keep. */
export type Slice = { limit: number; offset: number; given: ReadonlyMap<string, string> };

/** What of a list the slice turned out to be. */
export type Extent = {
  /** All that match, not only the slice. */
  count: number;
  hasPrevious: boolean;
  hasNext: boolean;
  /** A cursor at the first or last result, for a link with this offset; undefined where there is none. */
  toCursor: (edge: 'first' | 'last', offset: number) => string | undefined;
};

/** Absolute URLs, by their relation types of RFC 8288. */
export type Links = { first: string; prev: string | null; next: string | null; last: string };

export const defaultLimit = 10;
export const maxLimit = 1000;

const wantedLimit = integer({ minimum: 1 });
const wantedOffset = integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const paging = {
  limit: {
    doc: `Number of results per page; more than ${maxLimit} is taken as ${maxLimit}.`,
    schema: { ...wantedLimit.schema, default: defaultLimit },
    read: (text) => Math.min(wantedLimit.read(text), maxLimit),
  },
  offset: {
    ...wantedOffset,
    doc: 'Number of results to skip.',
    schema: { ...wantedOffset.schema, default: 0 },
  },
} satisfies Record<string, Parameter<number>>;

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

/** `url` is the list's own, absolute and without a query. */
export function toLinks(url: string, slice: Slice, { count, hasPrevious, hasNext, toCursor }: Extent): Links {
  const { limit, offset } = slice;
  const toLink = (offset: number, cursor: { after?: string | undefined; before?: string | undefined } = {}) =>
    `${url}?${toQuery(slice, offset, cursor)}`;
  const previousOffset = Math.max(0, Math.min(offset, count) - limit);
  return {
    first: toLink(0),
    prev: hasPrevious ? toLink(previousOffset, { before: toCursor('first', previousOffset) }) : null,
    next: hasNext ? toLink(offset + limit, { after: toCursor('last', offset + limit) }) : null,
    last: toLink(count === 0 ? 0 : count - 1 - ((count - 1) % limit)),
  };
}

function toQuery(
  { given, limit }: Slice,
  offset: number,
  { after, before }: { after?: string | undefined; before?: string | undefined },
) {
  const own = { limit: String(limit), offset: offset > 0 ? String(offset) : undefined, after, before };
  const query = new URLSearchParams([...given]);
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  query.sort();
  return query;
}

import { integer, type Parameter } from './parameters.ts';

export type Page<Result> = { count: number; next: string | null; previous: string | null; results: Result[] };

/** The slice of a list that a request asks for, and the parameters its links must keep. */
export type Slice = { limit: number; offset: number; given: ReadonlyMap<string, string> };

export const defaultLimit = 10;
export const maxLimit = 1000;

const wantedLimit = integer({ minimum: 1 });

export const paging = {
  limit: {
    doc: `Number of results per page; more than ${maxLimit} is taken as ${maxLimit}.`,
    schema: { ...wantedLimit.schema, default: defaultLimit },
    read: (text) => Math.min(wantedLimit.read(text), maxLimit),
  },
  offset: {
    ...integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    doc: 'Number of results to skip.',
  },
} satisfies Record<string, Parameter<number>>;

/** The envelope of DRF's LimitOffsetPagination. `url` is the list's own, absolute and without a query. */
export function toPage<Result>(url: string, slice: Slice, count: number, results: Result[]): Page<Result> {
  const { limit, offset } = slice;
  return {
    count,
    next: offset + limit >= count ? null : toLink(url, slice, offset + limit),
    previous: offset === 0 ? null : toLink(url, slice, Math.min(offset, count) - limit),
    results,
  };
}

function toLink(url: string, { given, limit }: Slice, offset: number): string {
  const query = new URLSearchParams([...given]);
  query.set('limit', String(limit));
  if (offset > 0) query.set('offset', String(offset));
  else query.delete('offset');
  query.sort();
  return `${url}?${query}`;
}

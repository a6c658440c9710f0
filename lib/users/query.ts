import { badRequest } from '../http/errors.ts';
import { chooseFormat, type Format, format } from '../http/negotiation.ts';
import { defaultLimit, type Neighbours, paging, type Slice } from '../page.ts';
import { type ForUnknown, type Parameter, readParameters } from '../parameters.ts';
import type { Request } from '../request.ts';
import { type Cursor, cursor, isOfOrder, type Side } from './cursor.ts';
import { type Condition, filters, type OnlineWindow } from './filters.ts';
import { newestFirst, ordering, type SortKey, toTotalOrder } from './ordering.ts';
import { search } from './search.ts';

/** Which users a request asks for, in which order, and which slice of them. */
export type UserQuery = Slice &
  OnlineWindow & {
    conditions: Condition[];
    /** Whether one of them is a search that the trigram index answers. */
    searchesIndex: boolean;
    /** Whether one asks who is in a group. */
    asksForGroups: boolean;
    /** Without ties. */
    ordering: SortKey[];
    /** Where the slice begins or ends, in place of `offset`; never at 0. */
    seek: Seek | undefined;
    /** The parameters that links keep, as they were written. */
    given: ReadonlyMap<string, string>;
    format: Format;
    /** Whether it is an export of all that match, not of a page. */
    isWhole: boolean;
  };

type Seek = { side: Side; cursor: Cursor };

const cursors = {
  after: {
    ...cursor,
    isOfLinks: true,
    alsoCalled: ['cursor'],
    doc: 'The page after this cursor; it comes from a `next` link and counts only with the `offset` there.',
  },
  before: {
    ...cursor,
    isOfLinks: true,
    doc: 'The page before this cursor; it comes from a `previous` link and counts only with the `offset` there.',
  },
} satisfies Record<Side, Parameter<Cursor>>;

/** Every documented parameter of `GET /api/users/`. */
export const parameters = { ...paging, ...cursors, search, ordering, ...filters, format } satisfies Record<
  string,
  Parameter<unknown>
>;

/** An export without a `limit` of its own is the whole list, up to this many users. */
export const maxExport = 10_000;

/** Throws a 400 that names every fault, or a 406 where there is no such format. */
export function readUserQuery(
  request: Pick<Request, 'rawQuery' | 'headers' | 'note'>,
  { onlineWindowSeconds, unknownParameters }: OnlineWindow & ForUnknown,
): UserQuery {
  const { values, given } = readParameters(request, parameters, { unknownParameters });
  const { limit, offset = 0, after, before, ordering: sortKeys = newestFirst, format: wanted, ...others } = values;
  const { search: searched, ...filtered } = others;
  const ordering = toTotalOrder(sortKeys);
  const seek = readSeek({ after, before }, ordering, offset);
  const format = chooseFormat(wanted, request);
  request.note({ format });
  const isWhole = format === 'csv' && limit === undefined;
  return {
    format,
    isWhole,
    limit: limit ?? (isWhole ? maxExport : defaultLimit),
    offset,
    ordering,
    seek,
    conditions: [...(searched ? [searched.hasEvery] : []), ...Object.values(filtered)],
    searchesIndex: searched?.isIndexed === true,
    asksForGroups: filtered.group_id !== undefined || filtered.groups_in !== undefined,
    onlineWindowSeconds,
    given,
  };
}

function readSeek(cursors: Record<Side, Cursor | undefined>, order: SortKey[], offset: number): Seek | undefined {
  const seeks = Object.entries(cursors).flatMap(([side, cursor]) => (cursor ? { side: side as Side, cursor } : []));
  const [seek] = seeks;
  if (!seek) return undefined;
  if (seeks.length > 1) throw badRequest({ before: ['Expected `after` or `before`, not both.'] });
  if (!isOfOrder(seek.cursor, order)) {
    throw badRequest({
      [seek.side]: ['Expected a cursor of this `ordering`; it was made in another one. Begin again without it.'],
    });
  }
  // A client that took a link and computed another offset wants to be there, not here; and at 0 is the first page, whole.
  return seek.cursor.offset === offset && offset > 0 ? seek : undefined;
}

/** Throws a 400 when an export meant to be whole left users out. */
export function requireWhole({ isWhole }: UserQuery, { count, next }: Neighbours & { count: number }): void {
  if (!isWhole || !next) return;
  const message = `Expected at most ${maxExport} users in one export; these are ${count}. Split it by \`id_min\` and \`id_max\`, or give \`limit\` and follow the Link header.`;
  throw badRequest({ format: [message] });
}

import type { CompiledQuery } from 'kysely';
import { type Db, QueryTimeout } from '../database/database.ts';
import type { Preparation } from '../database/prepared-names.ts';
import { type HttpError, timeLimitExceeded } from '../http/errors.ts';
import { defaultLimit, type Neighbours, type Place, toNeighbours } from '../page.ts';
import type { Request } from '../request.ts';
import { toCursor } from './cursor.ts';
import { isNewestFirst } from './ordering.ts';
import type { UserQuery } from './query.ts';
import type { GroupNames, UserRow } from './row.ts';
import { type CountedRow, selectUsers } from './statement.ts';

/** A page of users, how many match in all, and where the pages beside it are. */
export type UserList = Neighbours & { count: number; rows: UserRow[]; groupNames: GroupNames };

/** Throws a 503 that says what to narrow when the database takes too long. */
export async function listUsers(db: Db, query: UserQuery, request: Pick<Request, 'note'>): Promise<UserList> {
  const statement = selectUsers(query);
  const rows = await db.run(statement, { prepare: mayPrepare(query, statement) }).catch((error: unknown) => {
    if (!(error instanceof QueryTimeout)) throw error;
    request.note({ isOverTimeLimit: true });
    throw tooSlow(query, error.cause);
  });
  const list = toUserList(query, rows);
  request.note({ count: list.count, rows: list.rows.length, shownUserIds: list.rows.map(({ id }) => id) });
  return list;
}

/**
 * First pages of all who are listed are few statements, whoever asks, and to plan one takes longer than to run it. The default page is the
 * one that is asked for most; one of flags alone gets a name when it is asked for again. With values the best plan may hang on them: one for
 * any group takes a hundred times as long as one for a group that nobody is in.
 */
export function mayPrepare(query: UserQuery, { parameters }: Pick<CompiledQuery, 'parameters'>): Preparation | false {
  const { conditions, offset, limit, ordering } = query;
  if (offset > 0 || parameters.length > 0) return false;
  if (conditions.length > 0) return 'again';
  return limit === defaultLimit && isNewestFirst(ordering) ? 'always' : true;
}

function toUserList(query: UserQuery, counted: CountedRow[]): UserList {
  const { limit, seek } = query;
  const count = counted[0]?.count ?? 0;
  const found = counted.filter(({ id }) => id !== null);
  const rows = seek?.side === 'before' ? found.slice(-limit) : found.slice(0, limit);
  return {
    count,
    rows,
    groupNames: counted.find(({ group_names }) => group_names)?.group_names ?? {},
    ...toExactNeighbours(query, count, rows, found.length > limit),
  };
}

/** `hasMore` is of the far side from the cursor; its near side has at least the user it was made at. */
function toExactNeighbours(query: UserQuery, count: number, rows: UserRow[], hasMore: boolean): Neighbours {
  const { seek, ordering } = query;
  const isKnown = seek && { hasPrevious: seek.side === 'after' || hasMore, hasNext: seek.side === 'before' || hasMore };
  const { previous, next } = toNeighbours(query, count, isKnown);
  // At offset 0 is the first page, whole, whoever would have been before the cursor.
  const toPlace = (place: Place | null, row: UserRow | undefined) =>
    place && { ...place, cursor: row && place.offset > 0 ? toCursor(row, ordering, place.offset) : undefined };
  return { previous: toPlace(previous, rows[0]), next: toPlace(next, rows.at(-1)) };
}

/** A 503 that says what to narrow. */
export const tooSlow = (query: UserQuery, cause: unknown): HttpError => timeLimitExceeded(toAdvice(query), cause);

function toAdvice({ given, offset }: UserQuery): string {
  const advice = [
    given.has('search') && 'Use fewer, longer or rarer words in `search`.',
    given.has('ordering') && 'Leave out `ordering`.',
    offset > 0 && 'Use a smaller `offset`: filter by `id_max` instead of skipping users.',
  ].filter((sentence) => sentence !== false);
  return advice.join(' ') || 'Narrow it with `id_min` and `id_max`.';
}

import { type CompiledQuery, expressionBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { type Db, QueryTimeout } from '../database/database.ts';
import { compile, type Database, queryBuilder } from '../database/tables.ts';
import { timeLimitExceeded } from '../http/errors.ts';
import { defaultLimit, type Neighbours, type Place, toNeighbours } from '../page.ts';
import { isBeyond, toCursor } from './cursor.ts';
import { type OnlineWindow, onlineSince } from './filters.ts';
import { newestFirst, type SortKey, toOrderBy } from './ordering.ts';
import type { UserQuery } from './query.ts';
import { type GroupNames, shownColumns, type UserRow } from './row.ts';

type Counts = { count: number; online_since: string };

/** A row of the statement; an empty page is one row of nothing but the count. One of the rows has the names of all groups. */
type CountedRow = UserRow & Pick<Counts, 'count'> & { group_names: GroupNames | null };

/** A page of users, how many match in all, and where the pages beside it are. */
export type UserList = Neighbours & { count: number; rows: UserRow[]; groupNames: GroupNames };

/** Throws a 503 that says what to narrow when the database takes too long. */
export async function listUsers(db: Db, query: UserQuery, window: OnlineWindow): Promise<UserList> {
  try {
    const { statement, name } = toStatement(query, window);
    return toUserList(query, await db.run(statement, { name }));
  } catch (error) {
    throw error instanceof QueryTimeout ? timeLimitExceeded(toAdvice(query), error.cause) : error;
  }
}

type Statement = { statement: CompiledQuery<CountedRow>; name?: string };

/** The default page, and as many others as a connection may keep. */
const firstPages = new Map<string, Statement>();
const maxFirstPages = 10;
const toKey = (limit: number, ordering: SortKey[]): string => JSON.stringify([limit, ordering]);
const defaultKey = toKey(defaultLimit, newestFirst);

/**
 * The statement of a request. The first pages of all who are listed have names, by which the database keeps them prepared: to plan one takes
 * longer than to run it.
 */
export function toStatement(query: UserQuery, window: OnlineWindow): Statement {
  const { limit, offset, seek, ordering, conditions } = query;
  if (conditions.length > 0 || offset > 0 || seek) return { statement: selectUsers(query, window) };
  const key = toKey(limit, ordering);
  const known = firstPages.get(key);
  if (known) return known;
  const statement = selectUsers(query, window);
  // One for each that clients think of would fill the server's memory.
  if (firstPages.size >= maxFirstPages && key !== defaultKey) return { statement };
  const named = { statement, name: `first-page-${firstPages.size}` };
  firstPages.set(key, named);
  return named;
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
  const toPlace = (place: Place | null, row: UserRow | undefined) =>
    place && { ...place, cursor: row && toCursor(row, ordering, place.offset) };
  return { previous: toPlace(previous, rows[0]), next: toPlace(next, rows.at(-1)) };
}

/** Count and page in one statement, so of one snapshot. A page at a cursor has one row more, if there is one. */
export function selectUsers(query: UserQuery, window: OnlineWindow): CompiledQuery<CountedRow> {
  const matching = selectMatching(query, window);
  const counted = sql`(select ${countOf(matching)} as count, ${onlineSince(window)} as online_since)`;
  const pageIds = selectPageIds(matching.select('users.id'), query);
  const orderBy = sql.join(toOrderBy(query.ordering));
  return compile(sql<CountedRow>`with counted as ${counted}, page_ids as ${pageIds}, ${details} order by ${orderBy}`);
}

/** The ids of the page: they come from an index, so the details are fetched for this page only, not for all that is skipped. */
function selectPageIds<Output>(
  ids: SelectQueryBuilder<Database, 'users', Output>,
  { limit, offset, seek, ordering }: UserQuery,
) {
  const orderBy = toOrderBy(ordering, { backwards: seek?.side === 'before' });
  const ordered = orderBy.reduce((select, item) => select.orderBy(item), ids);
  // Limit and offset are literals: with $n PostgreSQL would go on planning a prepared statement anew.
  if (!seek) return ordered.limit(sql.lit(limit)).offset(sql.lit(offset));
  return ordered.where(isBeyond(seek.side, seek.cursor, ordering)).limit(sql.lit(limit + 1));
}

/** How many users match, on whatever page. */
export const selectCount = (query: UserQuery, window: OnlineWindow) => countOf(selectMatching(query, window));

const countOf = (matching: Matching) => matching.select(sql<number>`count(*)`.as('count'));

type Matching = ReturnType<typeof selectMatching>;

/** The one WHERE of count and page. */
function selectMatching({ conditions }: UserQuery, window: OnlineWindow) {
  // Spelled as the predicate of the listing index: a query that says it otherwise does not use the index.
  const listed = queryBuilder.selectFrom('users').where('users.list_flags', 'is not', null);
  return conditions.reduce((query, condition) => query.where((eb) => condition(eb, window)), listed);
}

/** Text, because a JavaScript Date has no microseconds; in UTC, whatever the session's time zone and DateStyle. */
const toUtcText = (column: string) =>
  sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** What the statement names by WITH. */
type Named = { counted: Counts; page_ids: { id: number }; page: { id: number; group_ids: number[] } };

const detailsBuilder = expressionBuilder<Database & Named, never>();

const selectPage = detailsBuilder
  .selectFrom('page_ids')
  .select((eb) => [
    'id',
    sql<number[]>`array(${eb
      .selectFrom('user_groups')
      .whereRef('user_id', '=', 'page_ids.id')
      .orderBy('group_id')
      .select('group_id')})`.as('group_ids'),
  ]);

/** Of all groups of the page. Not joined for each user: of a table of few rows PostgreSQL would read all for each of them. */
const selectGroupNames = detailsBuilder
  .selectFrom('groups')
  .where('id', '=', sql<number>`any(array(select unnest(group_ids) from page))`)
  .select(sql<GroupNames>`json_object_agg(id, name)`.as('group_names'));

const selectDetails = detailsBuilder
  .selectFrom('counted')
  .leftJoin('page', (join) => join.onTrue()) // the count survives an empty page
  .leftJoin('users', 'users.id', 'page.id')
  .leftJoin('users as inviter', 'inviter.id', 'users.invited_by_id')
  .select(['counted.count', ...shownColumns, 'page.group_ids'])
  .select([
    'inviter.id as inviter_id',
    'inviter.username as inviter_username',
    'inviter.first_name as inviter_first_name',
    'inviter.last_name as inviter_last_name',
  ])
  .select((eb) => [
    toUtcText('users.last_login').as('last_login'),
    toUtcText('users.created_at').as('created_at'),
    toUtcText('users.updated_at').as('updated_at'),
    // Not the filter's `exists`, for which PostgreSQL may read all who are online.
    sql<boolean>`coalesce(${eb
      .selectFrom('user_presence')
      .whereRef('user_id', '=', 'users.id')
      .select((presence) => presence('last_seen_at', '>', eb.ref('counted.online_since')).as('is_online'))}, false)`.as(
      'is_online',
    ),
    eb
      .selectFrom('users as invitee')
      .whereRef('invitee.invited_by_id', '=', 'users.id')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .as('invitees_count'),
    sql`case when row_number() over () = 1 then ${selectGroupNames} end`.as('group_names'),
  ]);

/** The end of the statement, the same for all requests. Compiled once: that takes 0.2 ms. */
const details = sql.raw(`page as (${compile(selectPage).sql}) ${compile(selectDetails).sql}`);

function toAdvice({ given, offset }: UserQuery): string {
  const advice = [
    given.has('search') && 'Use fewer, longer or rarer words in `search`.',
    given.has('ordering') && 'Leave out `ordering`.',
    offset > 0 && 'Use a smaller `offset`: filter by `id_max` instead of skipping users.',
  ].filter((sentence) => sentence !== false);
  return advice.join(' ') || 'Narrow it with `id_min` and `id_max`.';
}

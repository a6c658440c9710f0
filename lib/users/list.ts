import { type CompiledQuery, type SelectQueryBuilder, sql } from 'kysely';
import { type Db, QueryTimeout } from '../database.ts';
import { timeLimitExceeded } from '../errors.ts';
import { defaultLimit, type Extent } from '../page.ts';
import { compile, type Database, queryBuilder } from '../schema.ts';
import { isBeyond, toCursor } from './cursor.ts';
import { type OnlineWindow, onlineSince } from './filters.ts';
import { toOrderBy } from './ordering.ts';
import type { UserQuery } from './query.ts';
import { shownColumns, type UserRow } from './row.ts';

/** A row of the statement; an empty page is one row of nothing but the count. */
type CountedRow = UserRow & { count: number };

/** A page of users and its place in the list. */
export type UserList = Extent & { rows: UserRow[] };

/** Throws a 503 that says what to narrow when the database takes too long. */
export async function listUsers(db: Db, query: UserQuery, window: OnlineWindow): Promise<UserList> {
  try {
    // An export chosen by the Accept header gives no parameter either, and is longer.
    const isDefault = query.given.size === 0 && query.limit === defaultLimit;
    const statement = isDefault ? selectDefaultPage(query, window) : selectUsers(query, window);
    // No other statement has a name: one for each that clients think of would fill the server's memory.
    const rows = await db.run(statement, { name: isDefault ? 'default-page' : undefined });
    return toUserList(query, rows);
  } catch (error) {
    throw error instanceof QueryTimeout ? timeLimitExceeded(toAdvice(query), error.cause) : error;
  }
}

let defaultPage: CompiledQuery<CountedRow> | undefined;

/** Built once: an instance's window does not change, and building takes 0.06 ms. */
function selectDefaultPage(query: UserQuery, window: OnlineWindow): CompiledQuery<CountedRow> {
  defaultPage ??= selectUsers(query, window);
  return defaultPage;
}

function toUserList({ limit, offset, edge, ordering }: UserQuery, counted: CountedRow[]): UserList {
  const count = counted[0]?.count ?? 0;
  const found = counted.filter(({ id }) => id !== null);
  const rows = edge?.side === 'before' ? found.slice(-limit) : found.slice(0, limit);
  const hasMore = found.length > limit; // on the far side from the cursor; its near side has at least the user it was made at
  return {
    count,
    rows,
    hasPrevious: edge ? edge.side === 'after' || hasMore : offset > 0,
    hasNext: edge ? edge.side === 'before' || hasMore : offset + limit < count,
    toCursor(end, offset) {
      const row = end === 'first' ? rows[0] : rows.at(-1);
      return row && toCursor(row, ordering, offset);
    },
  };
}

/** Count and page in one statement, so of one snapshot. A page at a cursor has one row more, if there is one. */
export function selectUsers(query: UserQuery, window: OnlineWindow): CompiledQuery<CountedRow> {
  const counted = selectCount(query, window);
  const page = selectPage(selectMatching(query, window).select('users.id'), query);

  const joined = queryBuilder
    .selectFrom(counted.as('counted'))
    .leftJoin(page.as('page'), (join) => join.onTrue()) // the count survives an empty page
    .leftJoin('users', 'users.id', 'page.id')
    .leftJoin('users as inviter', 'inviter.id', 'users.invited_by_id')
    .leftJoinLateral(groupsOfUser.as('membership'), (join) => join.onTrue());
  const detailed = toOrderBy(query.ordering)
    .reduce((select, { expression, modifiers }) => select.orderBy(expression, modifiers), joined)
    .select(['counted.count', ...shownColumns])
    .select([
      'inviter.id as inviter_id',
      'inviter.username as inviter_username',
      'inviter.first_name as inviter_first_name',
      'inviter.last_name as inviter_last_name',
      'membership.group_ids',
      'membership.group_names',
    ])
    .select((eb) => [
      toUtcText('users.last_login').as('last_login'),
      toUtcText('users.created_at').as('created_at'),
      toUtcText('users.updated_at').as('updated_at'),
      // Not the filter's `exists`, for which PostgreSQL may read all who are online.
      sql<boolean>`coalesce(${eb
        .selectFrom('user_presence')
        .whereRef('user_id', '=', 'users.id')
        .select((presence) => presence('last_seen_at', '>', onlineSince(window)).as('is_online'))}, false)`.as(
        'is_online',
      ),
      eb
        .selectFrom('users as invitee')
        .whereRef('invitee.invited_by_id', '=', 'users.id')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .as('invitees_count'),
    ])
    .$castTo<CountedRow>();
  return compile(detailed);
}

/** The ids of the page: they come from an index, so the details are fetched for this page only, not for all that is skipped. */
function selectPage<Output>(
  ids: SelectQueryBuilder<Database, 'users', Output>,
  { limit, offset, edge, ordering }: UserQuery,
) {
  const orderBy = toOrderBy(ordering, { backwards: edge?.side === 'before' });
  const ordered = orderBy.reduce((select, { expression, modifiers }) => select.orderBy(expression, modifiers), ids);
  // Limit and offset are literals: with $n PostgreSQL would go on planning a prepared statement anew.
  if (!edge) return ordered.limit(sql.lit(limit)).offset(sql.lit(offset));
  return ordered.where(isBeyond(edge.side, edge.cursor, ordering)).limit(sql.lit(limit + 1));
}

/** How many users match, on whatever page. */
export const selectCount = (query: UserQuery, window: OnlineWindow) =>
  selectMatching(query, window).select((eb) => eb.fn.countAll<number>().as('count'));

/** The one WHERE of count and page. */
function selectMatching({ conditions }: UserQuery, window: OnlineWindow) {
  // Spelled as the predicate of the listing index: a query that says it otherwise does not use the index.
  const listed = queryBuilder.selectFrom('users').where('users.list_flags', 'is not', null);
  return conditions.reduce((query, condition) => query.where((eb) => condition(eb, window)), listed);
}

const groupsOfUser = queryBuilder
  .selectFrom('user_groups')
  .innerJoin('groups', 'groups.id', 'user_groups.group_id')
  .where('user_groups.user_id', '=', sql.ref<number>('users.id'))
  .select([
    sql<number[]>`array_agg(groups.id order by groups.id)`.as('group_ids'),
    sql<string[]>`array_agg(groups.name order by groups.id)`.as('group_names'),
  ]);

/** Text, because a JavaScript Date has no microseconds; in UTC, whatever the session's time zone and DateStyle. */
const toUtcText = (column: string) =>
  sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

function toAdvice({ given, offset }: UserQuery): string {
  const advice = [
    given.has('search') && 'Use fewer, longer or rarer words in `search`.',
    given.has('ordering') && 'Leave out `ordering`.',
    offset > 0 && 'Use a smaller `offset`: filter by `id_max` instead of skipping users.',
  ].filter((sentence) => sentence !== false);
  return advice.join(' ') || 'Narrow it with `id_min` and `id_max`.';
}

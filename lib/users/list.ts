import { type CompiledQuery, type Selectable, sql } from 'kysely';
import { type Db, QueryTimeout } from '../database.ts';
import { timeLimitExceeded } from '../errors.ts';
import { compile, type Database, queryBuilder } from '../schema.ts';
import { isOnline, type OnlineWindow, type UsersExpression } from './filters.ts';
import { toOrderBy } from './ordering.ts';
import type { UserQuery } from './query.ts';

type Users = Selectable<Database['users']>;

const shownColumns = [
  'users.id',
  'users.username',
  'users.mobile_number',
  'users.email',
  'users.is_email_verified',
  'users.avatar',
  'users.first_name',
  'users.last_name',
  'users.gender',
  'users.invite_code',
  'users.is_active',
  'users.is_staff',
  'users.is_admin',
  'users.is_profile_completed',
] as const;

type ShownColumn = (typeof shownColumns)[number] extends `users.${infer Column extends keyof Users}` ? Column : never;

/** What the list shows of a user. Timestamps: `2026-02-21T07:20:25.338627Z`, always with six digits. */
export type UserRow = Pick<Users, ShownColumn | 'last_login' | 'created_at' | 'updated_at'> & {
  is_online: boolean;
  invitees_count: number;
  inviter_id: number | null;
  inviter_username: string | null;
  inviter_first_name: string | null;
  inviter_last_name: string | null;
  /** Ordered by id; null when there are none. */
  group_ids: number[] | null;
  group_names: string[] | null;
};

/** A row of the statement; an empty page is one row of nothing but the count. */
type CountedRow = UserRow & { count: number };

/** The users of the page, and how many match in all. Throws a 503 that says what to narrow when the database takes too long. */
export async function listUsers(
  db: Db,
  query: UserQuery,
  window: OnlineWindow,
): Promise<{ count: number; rows: UserRow[] }> {
  try {
    // Only the page that a request without parameters gets: a name for every statement would fill the server's memory.
    const name = query.given.size === 0 ? 'default-page' : undefined;
    const rows = await db.run(selectUsers(query, window), { name });
    return { count: rows[0]?.count ?? 0, rows: rows.filter(({ id }) => id !== null) };
  } catch (error) {
    throw error instanceof QueryTimeout ? timeLimitExceeded(toAdvice(query), error.cause) : error;
  }
}

/** Count and page in one statement, so of one snapshot. */
export function selectUsers(query: UserQuery, window: OnlineWindow): CompiledQuery<CountedRow> {
  const matching = selectMatching(query, window);
  const orderBy = toOrderBy(query.ordering);

  const counted = matching.select((eb) => eb.fn.countAll<number>().as('count'));
  // The ids come from an index; details are fetched for this page only, not for all that OFFSET skips.
  // Limit and offset are literals: with $n PostgreSQL would go on planning a prepared statement anew.
  const page = orderBy
    .reduce((select, { expression, modifiers }) => select.orderBy(expression, modifiers), matching.select('users.id'))
    .limit(sql.lit(query.limit))
    .offset(sql.lit(query.offset));

  const joined = queryBuilder
    .selectFrom(counted.as('counted'))
    .leftJoin(page.as('page'), (join) => join.onTrue()) // the count survives an empty page
    .leftJoin('users', 'users.id', 'page.id')
    .leftJoin('users as inviter', 'inviter.id', 'users.invited_by_id')
    .leftJoinLateral(groupsOfUser.as('membership'), (join) => join.onTrue());
  const detailed = orderBy
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
      sql<boolean>`${isOnline(eb as unknown as UsersExpression, window)}`.as('is_online'),
      eb
        .selectFrom('users as invitee')
        .whereRef('invitee.invited_by_id', '=', 'users.id')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .as('invitees_count'),
    ])
    .$castTo<CountedRow>();
  return compile(detailed);
}

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

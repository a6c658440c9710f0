import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { day, flag, type Kind, listOf, oneOf, safeInteger } from '../kinds.ts';
import type { Parameter } from '../parameters.ts';
import { hasListFlag, type ListFlag } from './list-flags.ts';

export type UsersExpression = ExpressionBuilder<Database, 'users'>;

/** How long after its last request a user counts as online, seconds. */
export type OnlineWindow = { onlineWindowSeconds: number };

/** A condition on `users`. Never null, so that its negation is the rest. */
export type Condition = (eb: UsersExpression, window: OnlineWindow) => Expression<SqlBool>;

type ListedTimestamp = 'list_created_at' | 'list_updated_at' | 'list_last_login';

/** The table: a row is a query parameter, with its sentence for users, its kind of value and its condition. */
export const filters = {
  id_min: filter('Users whose id is this or higher.', safeInteger, (id) => (eb) => eb('users.id', '>=', id)),
  id_max: filter('Users whose id is this or lower.', safeInteger, (id) => (eb) => eb('users.id', '<=', id)),
  id_in: filter('Users whose id is one of these.', listOf(safeInteger, { maxItems: 100, example: [1, 2, 3] }), isOneOf),
  created_date: filter('Users created on this UTC day.', day, onDay('list_created_at')),
  created_from: filter('Users created on this UTC day or later.', day, fromDay('list_created_at')),
  created_to: filter('Users created on this UTC day or earlier.', day, throughDay('list_created_at')),
  updated_date: filter('Users last updated on this UTC day.', day, onDay('list_updated_at')),
  updated_from: filter('Users last updated on this UTC day or later.', day, fromDay('list_updated_at')),
  updated_to: filter('Users last updated on this UTC day or earlier.', day, throughDay('list_updated_at')),
  last_login_date: filter('Users who last logged in on this UTC day.', day, onDay('list_last_login')),
  last_login_from: filter('Users who last logged in on this UTC day or later.', day, fromDay('list_last_login')),
  last_login_to: filter('Users who last logged in on this UTC day or earlier.', day, throughDay('list_last_login')),
  has_email: filter('Users with an e-mail address, or without.', flag, listFlag('hasEmail')),
  has_avatar: filter('Users with an avatar image, or without.', flag, listFlag('hasAvatar')),
  has_phone: filter('Users with a mobile number, or without.', flag, listFlag('hasPhone')),
  has_first_name: filter('Users with a first name, or without.', flag, listFlag('hasFirstName')),
  has_last_name: filter('Users with a last name, or without.', flag, listFlag('hasLastName')),
  has_token: filter('Users who hold an unexpired authentication token, or none.', flag, whether(holdsToken)),
  is_active: filter('Accounts that may log in, or may not.', flag, listFlag('active')),
  is_staff: filter('Users with staff privileges, or without.', flag, listFlag('staff')),
  is_admin: filter('Users with admin privileges, or without.', flag, listFlag('admin')),
  is_customer: filter('Staff and admins who are customers as well, or are not.', flag, listFlag('customer')),
  is_profile_completed: filter('Users whose profile is complete, or is not.', flag, listFlag('profileCompleted')),
  is_online: filter('Users who are online now, or are not.', flag, whether(isOnline)),
  gender: filter(
    'Users of this gender, in any letter case.',
    oneOf(['male', 'female', 'other'], { anyCase: true }),
    (gender) => () => hasListFlag(gender),
  ),
  groups_in: filter(
    'Users in at least one of these groups.',
    listOf(safeInteger, { maxItems: 100, example: [1, 4, 5] }),
    inGroups,
  ),
  group_id: filter('Users in this group.', safeInteger, (id) => inGroups([id])),
} satisfies Record<string, Parameter<Condition>>;

function filter<Value>(doc: string, kind: Kind<Value>, where: (value: Value) => Condition): Parameter<Condition> {
  return { ...kind, doc, read: (text) => where(kind.read(text)) };
}

function whether(condition: Condition): (wanted: boolean) => Condition {
  return (wanted) => (wanted ? condition : (eb, window) => eb.not(condition(eb, window)));
}

function listFlag(flag: ListFlag): (wanted: boolean) => Condition {
  return whether(() => hasListFlag(flag));
}

function isOneOf(ids: number[]): Condition {
  return (eb) => eb('users.id', '=', sql<number>`any(${ids}::bigint[])`);
}

const startOf = (day: string) => sql<string>`${`${day}T00:00:00Z`}::timestamptz`;

// 24 hours, not a day: a day is longer or shorter where the session's time zone has summer time.
const endOf = (day: string) => sql<string>`${startOf(day)} + interval '24 hours'`;

function fromDay(column: ListedTimestamp): (day: string) => Condition {
  return (day) => (eb) => eb(`users.${column}`, '>=', startOf(day));
}

function throughDay(column: ListedTimestamp): (day: string) => Condition {
  return (day) => (eb) => eb(`users.${column}`, '<', endOf(day));
}

function onDay(column: ListedTimestamp): (day: string) => Condition {
  return (day) => (eb, window) => eb.and([fromDay(column)(day)(eb, window), throughDay(column)(day)(eb, window)]);
}

/** Who was seen since then is online. */
export const onlineSince = ({ onlineWindowSeconds }: OnlineWindow) =>
  sql<string>`now() - make_interval(secs => ${sql.lit(onlineWindowSeconds)}::double precision)`;

function isOnline(eb: UsersExpression, window: OnlineWindow): Expression<SqlBool> {
  return eb.exists(
    eb.selectFrom('user_presence').whereRef('user_id', '=', 'users.id').where('last_seen_at', '>', onlineSince(window)),
  );
}

function holdsToken(eb: UsersExpression): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('auth_tokens')
      .whereRef('user_id', '=', 'users.id')
      .where((token) => token.or([token('expires_at', 'is', null), token('expires_at', '>', sql<string>`now()`)])),
  );
}

function inGroups(ids: number[]): Condition {
  return (eb) =>
    eb.exists(
      eb
        .selectFrom('user_groups')
        .whereRef('user_id', '=', 'users.id')
        .where('group_id', '=', sql<number>`any(${ids}::bigint[])`),
    );
}

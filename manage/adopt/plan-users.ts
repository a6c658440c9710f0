import { toName } from './catalog.ts';
import type { Scope } from './expressions.ts';
import type { Flag, Mapping } from './mapping.ts';
import type { Mirror } from './mirror.ts';
import { quoteName, quoteText } from './quoting.ts';

type Columns = Mapping['columns'];
type Name = keyof Columns;

/** Where Django has what the mapping does not speak of, besides a column of the same name. */
const usual: Partial<Record<Name, string>> = { is_admin: 'is_superuser', created_at: 'date_joined' };

/**
 * Users, and their presence. Customers have a row of few columns: by their tokens they are told that they may not, they invite and are invited.
 * So what else changes of them writes nothing.
 */
export function planUsers(scope: Scope, mapping: Mapping, faults: string[]): Mirror[] {
  const { users } = scope;
  const form = <Key extends Name>(name: Key) => readForm(scope, mapping.columns, name, faults) as Columns[Key];
  const text = (
    name: 'mobile_number' | 'email' | 'avatar' | 'first_name' | 'last_name' | 'invite_code' | 'username',
  ) => {
    const path = form(name);
    return path ? `${scope.column(path, `columns.${name}`)}::text` : 'null::text';
  };
  const time = (name: 'last_login' | 'created_at' | 'updated_at') => {
    const path = form(name);
    return path ? scope.column(path, `columns.${name}`, 'time') : 'null::timestamptz';
  };
  const flag = (name: Name) => scope.flag((form(name) as Flag | undefined) ?? false, `columns.${name}`);
  const inviter = form('invited_by_id');

  const id = `u.${quoteName(users.primaryKey ?? '')}::bigint`;
  const [isStaff, isAdmin] = [flag('is_staff'), flag('is_admin')];
  const isListed = `(${isStaff} or ${isAdmin})`;
  const ifListed = (value: string, otherwise = 'null') => `case when ${isListed} then ${value} else ${otherwise} end`;
  const never = `timestamptz 'epoch'`;
  requireUnique(scope, form('username'), faults);
  const values = {
    id,
    username: text('username'),
    mobile_number: ifListed(text('mobile_number')),
    email: ifListed(text('email')),
    is_email_verified: ifListed(flag('is_email_verified'), 'false'),
    avatar: ifListed(text('avatar')),
    first_name: text('first_name'),
    last_name: text('last_name'),
    gender: ifListed(toGender(scope, form('gender'))),
    invited_by_id: inviter ? `${scope.column(inviter, 'columns.invited_by_id', 'number')}::bigint` : 'null::bigint',
    invite_code: ifListed(text('invite_code')),
    is_active: flag('is_active'),
    is_staff: isStaff,
    is_admin: isAdmin,
    is_customer: ifListed(flag('is_customer'), 'true'),
    is_profile_completed: ifListed(flag('is_profile_completed'), 'false'),
    last_login: ifListed(time('last_login')),
    created_at: ifListed(time('created_at'), never),
    updated_at: ifListed(time('updated_at'), never),
  };
  const where = mapping.hidden === undefined ? [] : [`not (${scope.flag(mapping.hidden, 'hidden')})`];
  const seen = mapping.last_seen ? scope.column(mapping.last_seen, 'last_seen', 'time') : undefined;
  const shared = { from: scope.toFrom(), sources: scope.sources() };
  const mirror: Mirror = { table: 'users', key: 'id', identity: ['id'], values, where, ...shared };
  if (seen === undefined) return [mirror];
  return [
    mirror,
    {
      table: 'user_presence',
      key: 'user_id',
      identity: ['user_id'],
      values: { user_id: id, last_seen_at: seen },
      where: [...where, isListed, `${seen} is not null`],
      ...shared,
    },
  ];
}

/** What the mapping says of a column, or where it usually is. */
function readForm({ users }: Scope, columns: Columns, name: Name, faults: string[]): Columns[Name] {
  const said = columns[name];
  if (said !== undefined) return said;
  const found = [name, usual[name]].find((candidate) => users.columns.some((column) => column.name === candidate));
  if (found === undefined)
    faults.push(
      `columns.${name}: "${toName(users)}" has no column of that name. Say which it is, or ${toAbsence(name)}.`,
    );
  return found;
}

function toAbsence(name: Name): string {
  if (name.startsWith('is_')) return `true or false, the same for all: "${name}": false`;
  if (name === 'updated_at') return 'that of its creation, where nothing says when it changed';
  return `that there is none: "${name}": null`;
}

/** By the username the list is ordered without another column besides, so that two alike would be skipped by walks. */
function requireUnique({ users }: Scope, path: string | undefined, faults: string[]): void {
  if (path === undefined || users.uniqueColumns.includes(path)) return;
  if (users.columns.some(({ name }) => name === path))
    faults.push(`columns.username: "${path}" is not unique. Expected a column with a unique index on it alone.`);
  else if (path.includes('.')) faults.push('columns.username: expected a column of the users’ table itself.');
}

/** An empty text is none. */
function toGender(scope: Scope, form: Columns['gender']): string {
  if (!form) return 'null::text';
  const isPlain = typeof form === 'string';
  const column = `${scope.column(isPlain ? form : form.column, 'columns.gender')}::text`;
  if (isPlain) return `nullif(lower(${column}), '')`;
  const cases = Object.entries(form.values).map(([value, gender]) => `when ${quoteText(value)} then '${gender}'`);
  return `case ${[column, ...cases].join(' ')} else nullif(${column}, '') end`;
}

import type { Mirror } from './mirror.ts';
import { quoteName } from './quoting.ts';

/** Of customers too. */
const ofEverybody = ['id', 'username', 'first_name', 'last_name', 'invited_by_id', 'is_active', 'is_staff', 'is_admin'];

/** Types that PostgreSQL cannot compare. */
const incomparable = /^(json|xml|point|polygon)$/;

/**
 * SQL of whether it is an update of one user that changes nothing of ours: by the row as it was, the cheapest way to let a customer's sign-in pass.
 * Undefined where a user is made of several tables.
 */
export function toUnchanged(mirrors: Mirror[]): string | undefined {
  const users = mirrors.find(({ table }) => table === 'users');
  const [source, ...joined] = users?.sources ?? [];
  if (!users || !source || joined.length > 0) return undefined;
  const { is_staff: isStaff, is_admin: isAdmin } = users.values;
  const always = [...ofEverybody.map((name) => users.values[name]), ...users.where].join(' ');
  const isAlways = (name: string) => always.includes(`u.${quoteName(name)}`);
  const names = [...new Set(source.columns)].filter((name) => name !== source.key);
  const differs = (some: string[]) => ['false', ...some.map(toDifference)].join(' or ');
  const toDifference = (name: string) => {
    const type = source.table.columns.find((column) => column.name === name)?.type ?? '';
    const cast = incomparable.test(type) ? '::text' : '';
    return `u.${quoteName(name)}${cast} is distinct from g.${quoteName(name)}${cast}`;
  };
  return `(select count(*) from written) = 1 and not exists (select from written as u, gone as g where ${differs([source.key, ...names.filter(isAlways)])}
    or ((${isStaff} or ${isAdmin}) and (${differs(names.filter((name) => !isAlways(name)))})))`;
}

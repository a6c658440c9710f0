import type { Mirror } from './mirror.ts';
import { list } from './mirror-sql.ts';
import { quoteName } from './quoting.ts';

/** Of customers too. */
const ofEverybody = ['id', 'username', 'first_name', 'last_name', 'invited_by_id', 'is_active', 'is_staff', 'is_admin'];

/** The users' among these, where a user is made of one table alone, and of what triggers see. */
export const findSimple = (mirrors: Mirror[]): Mirror | undefined =>
  mirrors.find(({ table, sources }) => table === 'users' && sources.length === 1 && !sources.some(hasVirtual));

const hasVirtual = ({ table, columns }: Mirror['sources'][number]): boolean =>
  table.columns.some(({ name, isVirtual }) => isVirtual && columns.includes(name));

/**
 * SQL of whether an update of one user, from the row `g` to `u`, changes what this mirror holds: the cheapest way to let a customer's sign-in pass,
 * and to leave alone what a write of staff does not change.
 */
export function toChange({ table, values }: Mirror, users: Mirror): string {
  const { is_staff: isStaff, is_admin: isAdmin } = users.values;
  const vital = table === 'users' ? ofEverybody : ['id', 'is_staff', 'is_admin'];
  const ofAll = [...vital.map((name) => users.values[name]), ...users.where].join(' ');
  const ofListed = Object.values(values).join(' ');
  const isIn = (text: string) => (name: string) => text.includes(`u.${name}`);
  const [source] = users.sources;
  const names = [...new Set([source?.key ?? '', ...(source?.columns ?? [])])].map(quoteName);
  const others = names.filter(isIn(ofListed)).filter((name) => !isIn(ofAll)(name));
  return `${toDifference(names.filter(isIn(ofAll)))} or ((${isStaff} or ${isAdmin}) and ${toDifference(others)})`;
}

/** By what is stored: some types cannot be compared otherwise, such as json. */
const toDifference = (names: string[]): string =>
  `row(${list(names, 'u.')})::record *<> row(${list(names, 'g.')})::record`;

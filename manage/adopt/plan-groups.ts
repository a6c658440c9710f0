import { permissions as permissionCodes } from '../../lib/auth.ts';
import { findTable, mayRepeat, referenceTo, type Table, toName } from './catalog.ts';
import { toHint } from './expressions.ts';
import type { Mapping } from './mapping.ts';
import type { Mirror } from './mirror.ts';
import type { Permission } from './permission.ts';
import { quoteName, quoteTable, toPresent } from './quoting.ts';

/** By which the API lets staff list users. */
const viewUsers = String(permissionCodes.viewUsers);

/** Groups, who is in them, and who holds the permission. */
export function planGroups(
  tables: Table[],
  users: Table,
  mapping: Mapping,
  permission: Permission | undefined,
  faults: string[],
): Mirror[] {
  const memberships = findMemberships(tables, users, mapping, faults);
  const groups = memberships && findGroups(tables, users, memberships, faults);
  const ofGroups = groups ? [toGroups(groups), toMemberships(memberships, users, groups)] : [];
  if (!permission) return ofGroups;
  return [
    ...ofGroups,
    ...toGrants(tables, 'user_permissions', users, permission),
    ...(groups ? toGrants(tables, 'group_permissions', groups, permission) : []),
  ];
}

/** The table of who is in which group. */
function findMemberships(tables: Table[], users: Table, { groups }: Mapping, faults: string[]): Table | undefined {
  if (groups === null) return undefined;
  if (groups !== undefined) {
    const named = findTable(tables, groups);
    if (!named) faults.push(`groups: there is no table "${groups}"${toHint(groups, tables.map(toName))}`);
    return named;
  }
  const ofDjango = findTable(tables, 'auth_group');
  const found = ofDjango ? tables.filter((table) => referenceTo(table, users) && referenceTo(table, ofDjango)) : [];
  if (found.length > 1) faults.push(`groups: ${found.map(toName).join(', ')} all refer to users and groups. Name one.`);
  if (found.length === 0)
    faults.push('groups: no table refers to users and auth_group. Name one; with null nobody is in a group.');
  return found[0];
}

/** The groups to which it refers. */
function findGroups(tables: Table[], users: Table, memberships: Table, faults: string[]): Table | undefined {
  const others = tables.filter((table) => table !== users && referenceTo(memberships, table));
  const groups = others.find(({ name }) => name === 'auth_group') ?? others[0];
  const hasName = groups?.columns.some(({ name }) => name === 'name');
  if (groups && hasName && referenceTo(memberships, users)) return groups;
  faults.push(
    `groups: expected "${toName(memberships)}" to have foreign keys to "${toName(users)}" and to a table with a column "name".`,
  );
  return undefined;
}

const toGroups = (groups: Table): Mirror => ({
  table: 'groups',
  key: 'id',
  identity: ['id'],
  values: { id: `u.${quoteName(groups.primaryKey ?? 'id')}::bigint`, name: 'u.name::text' },
  from: `${quoteTable(groups)} as u`,
  where: [],
  sources: [{ table: groups, key: groups.primaryKey ?? 'id', columns: ['name'] }],
});

function toMemberships(memberships: Table, users: Table, groups: Table): Mirror {
  const [user = '', group = ''] = [referenceTo(memberships, users), referenceTo(memberships, groups)];
  return {
    table: 'user_groups',
    key: 'user_id',
    identity: ['user_id', 'group_id'],
    values: { user_id: `u.${quoteName(user)}::bigint`, group_id: `u.${quoteName(group)}::bigint` },
    from: `${quoteTable(memberships)} as u`,
    where: [user, group].map(toPresent),
    mayRepeat: mayRepeat(memberships, [user, group]),
    sources: [{ table: memberships, key: user, columns: [group] }],
  };
}

/** Whoever holds this permission, of users or of groups. An application with a user of its own may have no such table. */
function toGrants(
  tables: Table[],
  table: 'user_permissions' | 'group_permissions',
  holders: Table,
  { table: permissions, id }: Permission,
): Mirror[] {
  const grants = tables.find((candidate) => referenceTo(candidate, holders) && referenceTo(candidate, permissions));
  if (!grants) return [];
  const [holder = '', permission = ''] = [referenceTo(grants, holders), referenceTo(grants, permissions)];
  const key = table === 'user_permissions' ? 'user_id' : 'group_id';
  return [
    {
      table,
      key,
      identity: [key, 'permission_code'],
      values: { [key]: `u.${quoteName(holder)}::bigint`, permission_code: viewUsers },
      from: `${quoteTable(grants)} as u`,
      where: [toPresent(holder), `u.${quoteName(permission)} = ${id}`],
      mayRepeat: mayRepeat(grants, [holder, permission]),
      sources: [{ table: grants, key: holder, columns: [permission] }],
    },
  ];
}

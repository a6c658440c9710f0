import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { findTable, type Table } from './catalog.ts';
import type { Mapping } from './mapping.ts';
import { quoteName, quoteTable, quoteText } from './quoting.ts';

/** A permission of Django's. `isStill`: SQL of whether it has the same name still. */
export type Permission = { table: Table; id: string; isStill: string };

/** That of the mapping, `accounts.view_user`; undefined where there is none, or a fault. */
export async function readPermission(
  db: Kysely<Database>,
  tables: Table[],
  { permission }: Mapping,
  faults: string[],
): Promise<Permission | undefined> {
  if (permission === null) return undefined;
  const table = findTable(tables, 'auth_permission');
  if (!table || permission === undefined) {
    faults.push(
      table
        ? 'permission: say by which staff may list users, such as "auth.view_user"; with null admins alone may.'
        : 'permission: there is no table auth_permission. With null admins alone may list users.',
    );
    return undefined;
  }
  const [app = '', codename = ''] = permission.split('.', 2);
  const from = `${quoteTable(table)} as p join ${quoteName(table.schema)}.django_content_type as t on t.id = p.content_type_id
    where app_label = ${quoteText(app)} and codename = ${quoteText(codename)}`;
  const { rows } = await sql
    .raw<{ id: string; model: string }>(`select p.id::text as id, model from ${from}`)
    .execute(db);
  const [found, ...others] = rows;
  if (found && others.length === 0)
    return { table, id: found.id, isStill: `exists (select from ${from} and p.id = ${found.id})` };
  faults.push(
    found
      ? `permission: "${permission}" is one of ${rows.map(({ model }) => model).join(' and one of ')}. Give one of them another codename.`
      : `permission: there is no "${permission}". Expected "<app_label>.<codename>" of Django's permissions, such as "auth.view_user".`,
  );
  return undefined;
}

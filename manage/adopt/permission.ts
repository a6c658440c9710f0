import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import type { Table } from './catalog.ts';

/** The id of a permission of Django's, `accounts.view_user`; `null` where there is a fault. */
export async function readPermission(
  db: Kysely<Database>,
  permissions: Table,
  permission: string,
  faults: string[],
): Promise<string> {
  const [app, codename = ''] = permission.split('.', 2);
  const types = sql.id(permissions.schema, 'django_content_type');
  const { rows } = await sql<{ id: string; model: string }>`
    select p.id::text as id, model from ${sql.id(permissions.schema, permissions.name)} as p join ${types} as t on t.id = content_type_id
    where app_label = ${app} and codename = ${codename}`.execute(db);
  const [found, ...others] = rows;
  if (found && others.length === 0) return found.id;
  faults.push(
    rows.length === 0
      ? `permission: there is no "${permission}". Expected "<app_label>.<codename>" of Django's permissions, such as "auth.view_user".`
      : `permission: "${permission}" is one of ${rows.map(({ model }) => model).join(' and one of ')}. Give one of them another codename.`,
  );
  return 'null';
}

import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import type { Say } from '../note.ts';
import type { Table } from './catalog.ts';
import type { Mapping } from './mapping.ts';
import { genderValues } from './synonyms.ts';

/** More values than this are no genders. */
const mostValues = 20;

/** With what its values mean, unless they say so themselves. */
export async function guessGender(
  db: Kysely<Database>,
  users: Table,
  joins: Record<string, Table>,
  path: string,
  say: Say,
): Promise<Mapping['columns']['gender']> {
  const [column = '', join] = path.split('.').reverse();
  const table = join === undefined ? users : (joins[join] as Table);
  const found = await readValues(db, table, column);
  if (found.length === 0) return guessEmpty(table, column, path, say);
  if (found.every((value) => ['male', 'female', 'other'].includes(value.toLowerCase()))) return path;
  if (found.every((value) => Object.hasOwn(letters, value))) return { column: path, values: letters };
  const known = found.flatMap((value) => {
    const gender = genderValues[value.toLowerCase()];
    return gender ? [[value, gender] as const] : [];
  });
  const unknown = found.filter((value) => !genderValues[value.toLowerCase()]);
  if (unknown.length > 0) say(`columns.gender.values: male, female or other? ${toList(unknown)}`);
  return { column: path, values: Object.fromEntries(known) };
}

/** Of one letter it will be the first one. */
function guessEmpty(table: Table, column: string, path: string, say: Say): Mapping['columns']['gender'] {
  say('columns.gender: there are no values yet. Say which the application will write, and what they mean.');
  const isLetter = table.columns.some(({ name, modifier }) => name === column && modifier === lengthOne);
  return isLetter ? { column: path, values: letters } : path;
}

/** Those of most projects, whoever of them is there yet. */
const letters = { M: 'male', F: 'female', O: 'other' } as const;

/** As PostgreSQL keeps that of varchar(1). */
const lengthOne = 5;

/** A sentence about the column that may stand in the place of flags; empty where there is none. */
export async function describeRoles(db: Kysely<Database>, users: Table): Promise<string> {
  const role = users.columns.find(({ name }) => ['role', 'user_type', 'type', 'kind'].includes(name));
  if (!role) return '';
  const values = toList(await readValues(db, users, role.name));
  return ` Perhaps "${role.name}" (${values}): {"column": "${role.name}", "is": ["…"]}.`;
}

const toList = (values: string[]): string => values.map((value) => JSON.stringify(value)).join(', ');

async function readValues(db: Kysely<Database>, table: Table, column: string): Promise<string[]> {
  const { rows } = await sql<{ value: string }>`
    select distinct ${sql.id(column)}::text as value from ${sql.id(table.schema, table.name)}
    where ${sql.id(column)}::text <> '' order by 1 limit ${mostValues}`.execute(db);
  return rows.map(({ value }) => value);
}

/** Django's own permission to view this model. */
export async function guessPermission(db: Kysely<Database>, users: Table, say: Say): Promise<string | null> {
  const { rows } = await sql<{ name: string; isOfUsers: boolean }>`
    select app_label || '.' || codename as name, app_label || '_' || model = ${users.name} as "isOfUsers"
    from auth_permission join django_content_type on django_content_type.id = content_type_id
    where codename ~ '^view_.*(user|member|account|person|staff|profile)' or (app_label || '_' || model = ${users.name} and codename = 'view_' || model)
    order by 2 desc, 1`.execute(db);
  const names = rows.map(({ name }) => name);
  const [first] = rows;
  if (first && (first.isOfUsers || rows.length === 1)) {
    say(
      `permission: ${first.name}. Whoever of the staff holds it may list users; if the endpoint asked for another one, name that.`,
    );
    return first.name;
  }
  say(
    `permission: by which may staff list users? ${names.length > 0 ? `Perhaps ${names.join(', ')}. ` : ''}With null admins alone may.`,
  );
  return null;
}

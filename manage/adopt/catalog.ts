import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { mirrorSchema } from '../schema.ts';

/** `type` as PostgreSQL names it (`character varying`); `modifier` its length or precision, -1 for none; `number` stays when it is renamed. */
export type Column = {
  name: string;
  number: number;
  type: string;
  typeId: number;
  modifier: number;
  isRequired: boolean;
  /** Computed when it is read, as PostgreSQL 18 can: triggers see nothing of it. */
  isVirtual: boolean;
};

/**
 * `references`: foreign keys of one column. `uniqueColumns`: those that are unique by themselves. `uniqueKeys`: those of each index by which no two rows
 * are alike at any moment.
 */
export type Table = {
  id: number;
  schema: string;
  name: string;
  /** An ordinary one; else a view, a foreign one, one of partitions. */
  isPlain: boolean;
  /** Whether whoever runs this may alter it. */
  isOwned: boolean;
  /** Whether row level security hides rows from whoever runs this, who is the owner. */
  hidesRows: boolean;
  owner: string;
  /** Without its schema's name. */
  isVisible: boolean;
  columns: Column[];
  references: { column: string; table: number }[];
  uniqueColumns: string[];
  uniqueKeys: string[][];
  primaryKey: string | null;
};

/** The tables of the application: those of all schemas but PostgreSQL's and ours. */
export async function readTables(db: Kysely<Database>): Promise<Table[]> {
  const { rows } = await sql<Table>`
    select c.oid::int8::float8 as id, nspname as schema, relname as name, relkind = 'r' as "isPlain",
      pg_has_role(relowner, 'USAGE') as "isOwned",
      relrowsecurity and relforcerowsecurity and not (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as "hidesRows", pg_get_userbyid(relowner) as owner, pg_table_is_visible(c.oid) as "isVisible",
      (select coalesce(json_agg(json_build_object(
          'name', attname, 'number', attnum, 'type', format_type(atttypid, null), 'typeId', atttypid::int8, 'modifier', atttypmod,
          'isRequired', attnotnull, 'isVirtual', attgenerated = 'v') order by attnum), '[]')
        from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
      (select coalesce(json_agg(json_build_object('column', attname, 'table', confrelid::int8) order by attnum), '[]')
        from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
        where conrelid = c.oid and contype = 'f' and cardinality(conkey) = 1) as "references",
      (select coalesce(json_agg(attname), '[]')
        from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
        where indrelid = c.oid and indisunique and indisvalid and indnkeyatts = 1 and indpred is null) as "uniqueColumns",
      (select coalesce(json_agg((
          select json_agg(attname) from pg_attribute where attrelid = indrelid and attnum = any ((indkey::int2[])[0:indnkeyatts - 1]))), '[]')
        from pg_index
        where indrelid = c.oid and indisunique and indisvalid and indimmediate and indpred is null and indexprs is null) as "uniqueKeys",
      (select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
        where indrelid = c.oid and indisprimary and indnkeyatts = 1) as "primaryKey"
    from pg_class as c join pg_namespace as n on n.oid = relnamespace
    where relkind in ('r', 'p', 'v', 'm', 'f') and nspname not in ('information_schema', ${mirrorSchema}) and nspname !~ '^pg_'
    order by pg_table_is_visible(c.oid) desc, nspname, relname`.execute(db);
  return rows;
}

/** `accounts_user`, or `app.accounts_user`. */
export function findTable(tables: Table[], name: string): Table | undefined {
  return (
    tables.find((table) => table.isVisible && table.name === name) ??
    tables.find((table) => `${table.schema}.${table.name}` === name)
  );
}

/** Its name as a mapping says it. */
export const toName = ({ schema, name, isVisible }: Table): string => (isVisible ? name : `${schema}.${name}`);

/** The column by which `table` refers to `target`: `user_id`, if it is among several. */
export function referenceTo(table: Table, target: Table): string | undefined {
  const columns = table.references.filter((reference) => reference.table === target.id).map(({ column }) => column);
  return columns.find((column) => column === 'user_id') ?? columns[0];
}

/**
 * Django 3.2 drops the foreign keys of a user's many-to-many tables when the users' key becomes a bigint, and makes them no more: there the column that
 * refers to nothing else is that of the user.
 */
export function completeReferences(tables: Table[], users: Table): void {
  for (const table of tables) {
    const isOfUsers = [`${users.name}_groups`, `${users.name}_user_permissions`].includes(table.name);
    if (!isOfUsers || table.schema !== users.schema || referenceTo(table, users)) continue;
    const [column, ...others] = table.columns.filter(
      ({ name }) => name !== table.primaryKey && !table.references.some((reference) => reference.column === name),
    );
    if (column && others.length === 0) table.references.push({ column: column.name, table: users.id });
  }
}

/** Whether `table` may hold rows that are alike in these columns. */
export const mayRepeat = ({ uniqueKeys }: Table, columns: string[]): boolean =>
  !uniqueKeys.some((key) => key.every((column) => columns.includes(column)));

/** The column by which at most one row of `table` refers to each of `target`. */
export const uniqueReferenceTo = (table: Table, target: Table): string | undefined =>
  table.references.find((reference) => reference.table === target.id && table.uniqueColumns.includes(reference.column))
    ?.column;

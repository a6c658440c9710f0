import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';
import { type Place, productTables, readableColumns } from './reader-grants.ts';

/** A role that may write users is not the API's alone: taking a grant of its own back might stop another program. */
export async function requireNoWriter(db: Kysely<Database>, role: string, { schema }: Place): Promise<void> {
  const users = sql`format('%I.users', ${schema}::text)`;
  const holder = await findHolder(
    db,
    role,
    sql`has_table_privilege(name, ${users}, 'DELETE, TRUNCATE')
      or has_any_column_privilege(name, ${users}, 'INSERT, UPDATE')`, // of the table too
  );
  if (holder === undefined) return;
  throw new OperatorError(
    `The role "${role}" may write users${toWay(role, holder)}, and the API only reads. Take that back, or choose another role.`,
  );
}

/**
 * Who may create there puts a function or an operator beside PostgreSQL's own that fits better, and operators run it with their rights: in the
 * schema, and in one of an operator's own name, which goes before it. Before PostgreSQL 15 everybody may in `public`, and an upgrade keeps that.
 */
export async function requireNoCreator(db: Kysely<Database>, role: string, place: Place): Promise<void> {
  for (const kind of ['schema', 'database'] as const) {
    const isHeld = sql`${sql.raw(`has_${kind}_privilege`)}(name, ${place[kind]}, 'CREATE')`;
    const holder = await findHolder(db, role, isHeld);
    if (holder === undefined) continue;
    const target = `${kind} "${place[kind]}"`;
    throw new OperatorError(
      [
        `The role "${role}" may create in the ${target}${toWay(role, holder)}: operators would come to run what it puts there. Its owner has to run:`,
        `  revoke create on ${target} from ${toGrantee(holder)}`,
      ].join('\n'),
    );
  }
}

/**
 * What `grantReading` has not granted, others may have: PUBLIC, or a role that it belongs to. Whoever has stolen the role would read it.
 */
export async function requireNoReader(db: Kysely<Database>, role: string, { schema }: Place): Promise<void> {
  const readable = Object.entries(readableColumns).flatMap(([table, columns]) =>
    columns.map((column) => `${table}.${column}`),
  );
  const beyond = sql`
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = quote_ident(${schema})::regnamespace and relname = any (${productTables}) and attnum > 0 and not attisdropped
      and relname || '.' || attname <> all (${readable})`;
  const holder = await findHolder(
    db,
    role,
    sql`exists (select ${beyond} and has_column_privilege(name, attrelid, attnum, 'SELECT'))`,
  );
  if (holder === undefined) return;
  const { rows } = await sql<{ tables: string }>`
    select string_agg(distinct relname::text, ', ') as tables ${beyond} and has_column_privilege(${holder}, attrelid, attnum, 'SELECT')`.execute(
    db,
  );
  const tables = rows[0]?.tables;
  throw new OperatorError(
    [
      `The role "${role}" may read more than the API reads${toWay(role, holder)}: of ${tables}. To take that back, or choose another role:`,
      `  revoke select on ${tables} from ${toGrantee(holder)}`,
    ].join('\n'),
  );
}

const everybody = 'public';

/**
 * The name of a role by which the role has a right, be it itself or everybody; undefined where it has not got it. Looked at is each role that
 * it belongs to, inherited or not, for it may SET ROLE. `isHeld` asks of the role `name`.
 */
async function findHolder(
  db: Kysely<Database>,
  role: string,
  isHeld: RawBuilder<unknown>,
): Promise<string | undefined> {
  // What PUBLIC may every role may, and what a role inherits it may itself: the cause comes first.
  const { rows } = await sql<{ name: string }>`
    select name from (
      select ${everybody}::name as name, 1 as place
      union all
      select rolname, case rolname when ${role} then 3 else 2 end from pg_roles where pg_has_role(${role}::name, oid, 'MEMBER')
    ) as holders
    where ${isHeld}
    order by place, name limit 1`.execute(db);
  return rows[0]?.name;
}

function toWay(role: string, holder: string): string {
  if (holder === role) return '';
  return ` through ${holder === everybody ? 'PUBLIC' : `the role "${holder}"`}`;
}

const toGrantee = (holder: string): string => (holder === everybody ? holder : `"${holder}"`);

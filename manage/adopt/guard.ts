import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { mirrorSchema } from '../schema.ts';
import { type Column, type Table, toName } from './catalog.ts';
import type { Plan, TokenHash } from './mirror.ts';
import { quoteText } from './quoting.ts';
import { events, toFollowers } from './triggers.ts';

/** Of lib/database/faults.ts, which makes a 503 of it. */
const closed = 'UA001';

const hashBytes: Record<TokenHash, number> = { sha256: 32, sha512: 64, 'sha512-hex': 64 };

/** What a column may become without another value in it, by PostgreSQL's numbers of types. */
const wider: Record<string, string[]> = {
  smallint: ['int4', 'int8'],
  integer: ['int8'],
  'character varying': ['text'],
};

/** Whether a column of the catalog is still the one that was adopted, or a wider one. */
const isAsAdopted = `attrelid = relation and attnum = number and attname = name and atttypid = any (types)
  and (atttypmod = modifier or (modifier <> -1 and atttypmod = -1) or (atttypid = 'varchar'::regtype and atttypmod > modifier))`;
const hasAll = `not exists (select from ${mirrorSchema}.watched where not exists (select from pg_attribute where ${isAsAdopted}))`;
const isOpen = `exists (select from ${mirrorSchema}.adoption where is_open)`;
const hasTriggers = `(select cardinality(tables) * ${Object.keys(events).length} = (
    select count(*) from pg_trigger where tgrelid = any (tables) and tgenabled = 'A' and tgname like '${mirrorSchema}\\_%')
  from ${mirrorSchema}.adoption)`;
const fitsHash = `(select hash_bytes = asked_bytes from ${mirrorSchema}.adoption)`;

/**
 * Has whoever asks for a caller be refused where our tables may not be as theirs. No right says that a fault is noted, and no trigger that a
 * column has gone, or was made anew: each request compares the columns that it is made of with the catalog, in some 0.05 ms.
 */
export async function createGuard(db: Kysely<Database>, { permission }: Plan): Promise<void> {
  const hasPermission = permission ?? 'true';
  await createOfOwner(
    db,
    'require_followed(asked_bytes integer) returns void language plpgsql',
    `begin
      if ${isOpen} and ${fitsHash} and not exists (select from ${mirrorSchema}.faults)
        and not exists (select from ${mirrorSchema}.late) and ${hasAll} and ${hasPermission} and ${hasTriggers} then return; end if;
      raise exception using errcode = '${closed}', message = ${mirrorSchema}.say_why_closed(asked_bytes);
    end`,
  );
  await createOfOwner(
    db,
    'say_why_closed(asked_bytes integer) returns text language sql',
    `select case
      when exists (select from ${mirrorSchema}.faults) then (
        select format('a write of %s could not be followed: %s, %s', relation, code, message) from ${mirrorSchema}.faults order by at limit 1)
      when not ${isOpen} then 'adopt has not come to its end'
      when not ${hasAll} then (
        select format('the column %s of %s is not the one that was adopted: it is gone, or has another name or type', name, title)
        from ${mirrorSchema}.watched where not exists (select from pg_attribute where ${isAsAdopted}) limit 1)
      when not ${hasPermission} then 'the permission is another one now, or none'
      when exists (select from ${mirrorSchema}.late) then 'a write met another one and is not followed yet; the next write of the table will see to it'
      when not ${hasTriggers} then 'a trigger of a table is missing, or disabled'
      when not ${fitsHash} then 'the function has another TOKEN_HASH than was adopted'
    end`,
  );
  await guardCaller(db);
}

/** `definition`: name, arguments and result. */
async function createOfOwner(db: Kysely<Database>, definition: string, body: string): Promise<void> {
  await sql
    .raw(
      `create or replace function ${mirrorSchema}.${definition} stable set search_path = pg_catalog, pg_temp set jit = off
        set enable_hashjoin = off set enable_mergejoin = off as ${quoteText(body)}`,
    )
    .execute(db);
}

/** As the first thing that the migration's own function does. To be run again when a migration has made it anew. */
export async function guardCaller(db: Kysely<Database>): Promise<void> {
  const caller = `${mirrorSchema}.find_caller(bytea)`;
  const { rows } = await sql<{ definition: string }>`
    select pg_get_functiondef(${caller}::regprocedure) as definition`.execute(db);
  const definition = rows[0]?.definition ?? '';
  const guard = `perform ${mirrorSchema}.require_followed(octet_length(hash));`;
  if (definition.includes(guard)) return;
  await sql.raw(definition.replace(/\bbegin\b/, `begin ${guard}`)).execute(db);
}

/** What the guard compares with the catalog. */
export async function recordColumns(db: Kysely<Database>, plan: Plan): Promise<void> {
  const sources = plan.mirrors.flatMap((mirror) => mirror.sources);
  const rows = new Set(
    sources.flatMap(({ table, key, columns }) =>
      table.columns.filter(({ name }) => name === key || columns.includes(name)).map((column) => toRow(table, column)),
    ),
  );
  await sql.raw(`truncate ${mirrorSchema}.watched`).execute(db);
  await sql.raw(`insert into ${mirrorSchema}.watched values ${[...rows].join(', ')}`).execute(db);
  const tables = toFollowers(plan).map(({ table }) => table.id);
  await sql
    .raw(`update ${mirrorSchema}.adoption set hash_bytes = ${hashBytes[plan.tokenHash]}, tables = '{${tables.join()}}'`)
    .execute(db);
}

function toRow(table: Table, column: Column): string {
  const types = [`${column.typeId}`, ...(wider[column.type] ?? []).map((type) => `'${type}'::regtype::oid`)];
  return `(${table.id}, ${column.number}, ${quoteText(column.name)}, ${column.modifier}, array[${types.join(', ')}]::oid[], ${quoteText(toName(table))})`;
}

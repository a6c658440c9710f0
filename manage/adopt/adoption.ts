import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { OperatorError } from '../operator-error.ts';
import { isAdopted, mirrorSchema } from '../schema.ts';
import { type Mapping, readMapping } from './mapping.ts';

/** Says in the schema's comment whose it is. */
const title = 'users-api: what the API reads of the tables of a Django application, which triggers keep in step';

/** Makes the schema of ours, if it is not there. Throws where one of that name is another's. */
export async function createSchema(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ comment: string | null; role: string; owner: string; isOwned: boolean }>`
    select obj_description(oid, 'pg_namespace') as comment, current_user as role, pg_get_userbyid(nspowner) as owner,
      pg_has_role(nspowner, 'USAGE') as "isOwned"
    from pg_namespace where nspname = ${mirrorSchema}`.execute(db);
  const [schema] = rows;
  if (schema && schema.comment !== title)
    throw new OperatorError(
      `The schema "${mirrorSchema}" is another program's. Give it another name: alter schema ${mirrorSchema} rename to …`,
    );
  if (schema && !schema.isOwned)
    throw new OperatorError(
      `The schema "${mirrorSchema}" belongs to "${schema.owner}": run this as that role, not as "${schema.role}".`,
    );
  if (schema) return;
  await db.transaction().execute(async (trx) => {
    await sql.raw(`create schema ${mirrorSchema}`).execute(trx);
    await sql.raw(`comment on schema ${mirrorSchema} is '${title}'`).execute(trx);
    await sql
      .raw(`create table ${mirrorSchema}.adoption (
        mapping jsonb not null, hash_bytes integer, tables oid[], is_open boolean not null default false, has_made_trgm boolean not null)`)
      .execute(trx);
    await sql
      .raw(`create table ${mirrorSchema}.faults (
        at timestamptz not null default now(), relation text not null, code text not null, message text not null)`)
      .execute(trx);
    await sql.raw(`create table ${mirrorSchema}.late (relation oid not null, key bigint not null)`).execute(trx);
    await sql
      .raw(`create table ${mirrorSchema}.watched (
        relation oid not null, number smallint not null, name name not null, modifier integer not null, types oid[] not null, title text not null)`)
      .execute(trx);
    await sql`
      insert into ${sql.id(mirrorSchema, 'adoption')} (mapping, has_made_trgm)
      select '{}', not exists (select from pg_extension where extname = 'pg_trgm')`.execute(trx);
  });
}

/** pg_trgm where it outlives our schema, and others may use it. */
export async function createTrigrams(db: Kysely<Database>): Promise<void> {
  await sql`create extension if not exists pg_trgm schema public`.execute(db);
}

export async function requireAdopted(db: Kysely<Database>): Promise<void> {
  if (await isAdopted(db)) return;
  throw new OperatorError(
    'This database is not adopted. First: adopt --inspect > mapping.json, then adopt mapping.json.',
  );
}

/** The mapping that the database keeps. */
export async function readAdoptedMapping(db: Kysely<Database>): Promise<Mapping> {
  await requireAdopted(db);
  const { rows } = await sql<{
    mapping: string;
  }>`select mapping::text as mapping from ${sql.id(mirrorSchema, 'adoption')}`.execute(db);
  return readMapping(rows[0]?.mapping ?? '');
}

/** How long a lock on one of their tables is waited for, and with it whoever comes to the table meanwhile; then they have a pause of it. */
export const briefly = { waitMs: 100, pauses: Array.from({ length: 60 }, () => 500) };

/** Where a write could not be followed, later ones are not followed either. */
export async function requireNoFault(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql`select from ${sql.id(mirrorSchema, 'faults')} limit 1`.execute(db);
  if (rows.length > 0)
    throw new OperatorError(`The API stays closed: ${await readClosed(db)}. When that is mended, run adopt again.`);
}

/** Why the API is closed; null where it is open. */
export async function readClosed(db: Kysely<Database>): Promise<string | null> {
  const { rows } = await sql<{ reason: string | null }>`
    select ${sql.id(mirrorSchema, 'say_why_closed')}(hash_bytes) as reason from ${sql.id(mirrorSchema, 'adoption')}`.execute(
    db,
  );
  return rows[0]?.reason ?? null;
}

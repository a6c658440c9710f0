import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { withLocks } from '../locks.ts';
import { migrate, vacuumUsers } from '../migrate.ts';
import { requireUtf8 } from '../migrate-refusals.ts';
import type { Say } from '../note.ts';
import { OperatorError } from '../operator-error.ts';
import { mirrorSchema } from '../schema.ts';
import { briefly, createSchema, createTrigrams, readClosed } from './adoption.ts';
import { requireData } from './data.ts';
import { fill } from './fill.ts';
import { createFunction } from './function.ts';
import { createGuard, recordColumns } from './guard.ts';
import type { Mapping } from './mapping.ts';
import type { Plan } from './mirror.ts';
import { countRows } from './mirror-sql.ts';
import { readPlan, requireServer } from './plan.ts';
import { createTriggers, listFunctions, toFollowers, toFunctionName } from './triggers.ts';

/** Makes our tables and has them follow theirs; then the API may answer. Says how far it is. `pool`: for a second connection, which helps to fill. */
export async function follow(
  db: Kysely<Database>,
  pool: Kysely<Database>,
  mapping: Mapping,
  say: Say,
): Promise<string[]> {
  await requireUtf8(db);
  await requireServer(db);
  const plan = await readPlan(db, mapping);
  await requireData(db, plan);
  await createSchema(db);
  await createTrigrams(db);
  await sql`set search_path = ${sql.id(mirrorSchema)}`.execute(db);
  const { ran } = await migrate(db);
  if (ran.length > 0) say(`made the tables of the API in the schema ${mirrorSchema}`);
  await db.transaction().execute((trx) => prepare(trx, mapping, plan));
  await catchWrites(db, plan);
  say('each write is followed by now; writing what was there before');
  await pool.connection().execute((second) => fill([db, second], plan, say));
  await vacuumUsers(db);
  await sql`update adoption set is_open = true`.execute(db);
  const reason = await readClosed(db);
  if (reason !== null)
    throw new OperatorError(`The API stays closed: ${reason}. When that is mended, run adopt again.`);
  const lines: string[] = [];
  for (const mirror of plan.mirrors) lines.push(await countRows(db, mirror));
  return [
    ...lines,
    `the API answers from this database, with TOKEN_HASH=${plan.tokenHash}; its role is made by create-reader`,
  ];
}

/** Closed until it is filled, unless it was open and is to be the same. */
async function prepare(trx: Kysely<Database>, mapping: Mapping, plan: Plan): Promise<void> {
  await dropConstraints(trx);
  for (const follower of toFollowers(plan)) await createFunction(trx, follower);
  const json = JSON.stringify(mapping);
  await createGuard(trx, plan);
  const staysOpen = (await readClosed(trx)) === null;
  await sql`update adoption set is_open = ${staysOpen} and mapping = ${json}::jsonb, mapping = ${json}::jsonb`.execute(
    trx,
  );
  await recordColumns(trx, plan);
  await sql`delete from faults`.execute(trx);
}

/** Theirs hold for their tables: what an application writes in another order, within a transaction, is its own affair. */
async function dropConstraints(trx: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ statement: string }>`
    select format('alter table %s drop constraint %I cascade', conrelid::regclass, conname) as statement
    from pg_constraint where connamespace = ${mirrorSchema}::regnamespace and contype in ('f', 'u')`.execute(trx);
  for (const { statement } of rows) await sql.raw(statement).execute(trx);
}

/**
 * The triggers come after the faults have gone: making one waits for each who writes the table, of whom one may have seen a fault and followed
 * nothing.
 */
async function catchWrites(db: Kysely<Database>, plan: Plan): Promise<void> {
  const followers = toFollowers(plan);
  for (const { table } of followers)
    await withLocks(db, () => db.transaction().execute((trx) => createTriggers(trx, table)), briefly);
  const known = followers.map(({ table }) => toFunctionName(table));
  for (const name of (await listFunctions(db)).filter((one) => !known.includes(one)))
    await withLocks(db, () => sql.raw(`drop function ${name}() cascade`).execute(db), briefly);
}

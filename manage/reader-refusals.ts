import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';

/** The role that migrates must not lose what it owns to a slip of the operator's. */
export async function requireNoOwner(db: Kysely<Database>, role: string): Promise<void> {
  const { rows } = await sql`
    select from pg_roles where rolname = ${role} and (rolsuper or rolcreaterole or rolname = current_user
      or exists (select from pg_class where relowner = pg_roles.oid))`.execute(db);
  if (rows.length > 0) throw new OperatorError(`The role "${role}" does more than read. Choose another name.`);
}

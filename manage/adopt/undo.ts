import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { withLocks } from '../locks.ts';
import { mirrorSchema } from '../schema.ts';
import { briefly, requireAdopted } from './adoption.ts';
import { listFunctions } from './triggers.ts';

/** `adopt --undo`: takes away our schema, and with it the triggers on their tables, which wait for those who use these. */
export async function undo(db: Kysely<Database>): Promise<string[]> {
  await requireAdopted(db);
  const { rows } = await sql<{
    has_made_trgm: boolean;
  }>`select has_made_trgm from ${sql.id(mirrorSchema, 'adoption')}`.execute(db);
  // Table by table, so that none is held while another is waited for.
  for (const statement of [
    ...(await listFunctions(db)).map((name) => `drop function ${name}() cascade`),
    `drop schema ${mirrorSchema} cascade`,
  ])
    await withLocks(db, () => sql.raw(statement).execute(db), briefly);
  const lines = [`dropped the schema ${mirrorSchema}, and its triggers; the application's tables are as before`];
  if (!rows[0]?.has_made_trgm) return lines;
  try {
    await sql`drop extension if exists pg_trgm`.execute(db);
  } catch {
    return [...lines, 'kept the extension pg_trgm, which adopt had installed: others use it by now'];
  }
  return lines;
}

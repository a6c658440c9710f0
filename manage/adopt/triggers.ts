import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { mirrorSchema } from '../schema.ts';
import type { Table } from './catalog.ts';
import type { Mirror, Plan } from './mirror.ts';
import { quoteTable } from './quoting.ts';

/** A table of theirs, and what of ours follows it by which of its columns. */
export type Follower = { table: Table; key: string; mirrors: Mirror[] };

export function toFollowers({ mirrors }: Plan): Follower[] {
  const followers = new Map<number, Follower>();
  for (const mirror of mirrors) {
    for (const { table, key } of mirror.sources) {
      const follower = followers.get(table.id) ?? { table, key, mirrors: [] };
      follower.mirrors.push(mirror);
      followers.set(table.id, follower);
    }
  }
  return [...followers.values()];
}

/** Of the table's number, so that it stays when the table is renamed. */
export const toFunctionName = (table: Table): string => `${mirrorSchema}.follow_${table.id}`;

/** For statements, not rows: an update of 5,000 rows is followed by one statement. Each with what the statement has written, and what was there. */
export const events = {
  insert: 'referencing new table as written',
  update: 'referencing old table as gone new table as written',
  delete: 'referencing old table as gone',
  truncate: '',
};

/** Always, whatever `session_replication_role` says. Waits for whoever writes the table, and is waited for by who writes it next. */
export async function createTriggers(db: Kysely<Database>, table: Table): Promise<void> {
  for (const [event, referencing] of Object.entries(events)) {
    const name = `${mirrorSchema}_${event}`;
    await sql
      .raw(`create or replace trigger ${name} after ${event} on ${quoteTable(table)} ${referencing}
        for each statement execute function ${toFunctionName(table)}()`)
      .execute(db);
    await sql.raw(`alter table ${quoteTable(table)} enable always trigger ${name}`).execute(db);
  }
}

/** The functions of the triggers, by table. */
export async function listFunctions(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select format('%I.%I', ${mirrorSchema}::text, proname) as name from pg_proc
    where pronamespace = ${mirrorSchema}::regnamespace and proname like 'follow\\_%' order by proname`.execute(db);
  return rows.map(({ name }) => name);
}

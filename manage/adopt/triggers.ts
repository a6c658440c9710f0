import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { mirrorSchema } from '../schema.ts';
import type { Table } from './catalog.ts';
import type { Mirror, Plan } from './mirror.ts';
import { toDelete, toUpsert } from './mirror-sql.ts';
import { quoteName, quoteTable, quoteText } from './quoting.ts';

/** A table of theirs, and what of ours follows it by which of its columns. */
type Follower = { table: Table; key: string; mirrors: Mirror[] };

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
const toFunctionName = (table: Table): string => `${mirrorSchema}.follow_${table.id}`;

/** For statements, not rows: an update of 5,000 rows is followed by one statement. Each with what the statement has written, and what was there. */
export const events = {
  insert: 'referencing new table as written',
  update: 'referencing old table as gone new table as written',
  delete: 'referencing old table as gone',
  truncate: '',
};

/**
 * What a write of theirs does to our tables, in its own transaction. It runs as its owner, so that who writes needs no right on our tables, and
 * searches nothing but pg_catalog. It never makes their write fail by what is wrong here: that is noted as a fault, which closes the API, and
 * later writes return early. What passes by itself (a serialization failure, a lock, a cancelled statement, no space) would have failed it anyway.
 * The plans are those of few rows, by keys: one that was kept from a write of one row would take minutes for one of 50,000.
 */
export async function createFunction(db: Kysely<Database>, follower: Follower): Promise<void> {
  const { table, key } = follower;
  const name = quoteName(key);
  const body = `
declare
  keys bigint[];
  is_gone boolean := tg_op <> 'INSERT'; -- whether a key may be none of theirs any more
begin
  -- above read committed it sees what was at its beginning, perhaps a fault that is mended
  if exists (select from ${mirrorSchema}.faults) and current_setting('transaction_isolation') = 'read committed' then return null; end if;
  case tg_op
    when 'INSERT' then keys := array(select distinct ${name} from written);
    when 'UPDATE' then
      keys := array(select ${name} from written union select ${name} from gone);
      is_gone := cardinality(keys) > (select count(*) from written);
    when 'DELETE' then keys := array(select distinct ${name} from gone);
    else keys := array(${toHeldKeys(follower)});
  end case;
  if cardinality(keys) = 0 then return null; end if;
  ${toStatements(follower).join(';\n  ')};
  return null;
exception when others then
  if left(sqlstate, 2) in ('40', '53', '55', '57') then raise; end if;
  insert into ${mirrorSchema}.faults (relation, code, message)
    values (tg_relid::regclass::text, sqlstate, case when left(sqlstate, 2) in ('23', '42') then sqlerrm else 'not shown, for it may quote data' end);
  return null;
end`;
  await sql
    .raw(`create or replace function ${toFunctionName(table)}() returns trigger language plpgsql security definer
      set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
      as ${quoteText(body)}`)
    .execute(db);
}

const toHeldKeys = ({ mirrors }: Follower): string =>
  mirrors
    .map(({ table, key, scope }) => `select ${key} from ${mirrorSchema}.${table} ${scope ? `where ${scope}` : ''}`)
    .join(' union ');

function toStatements({ table, mirrors }: Follower): string[] {
  const lock = `perform from ${mirrorSchema}.users where id = any (keys) order by id for update`;
  // A row that two of their tables make: whoever comes second waits here, and sees in the next statement what the first has written.
  const isShared = mirrors.some(({ sources }) => sources.length > 1);
  return [
    ...(isShared ? [lock] : []),
    ...mirrors.flatMap((mirror) => {
      const isOwn = mirror.sources[0]?.table === table;
      const mayLose = isOwn ? toLoss(mirror) : mirror.where.length > 0 ? 'true' : 'false';
      const remove = `if ${mayLose} then ${toDelete(mirror, 'keys')}; end if`;
      return [toUpsert(mirror, 'keys'), ...(mayLose === 'false' ? [] : [remove])];
    }),
  ];
}

/** When a write may take a row away: not by inserting, and by updating a table of one row a key only where keys have changed. */
function toLoss({ key, identity, where }: Mirror): string {
  const isOneRow = identity.length === 1 && identity[0] === key;
  return isOneRow && where.length === 0 ? 'is_gone' : "tg_op <> 'INSERT'";
}

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

/** What follows a table that is none of the plan's any more. */
export async function listOtherFunctions(db: Kysely<Database>, followers: Follower[]): Promise<string[]> {
  const known = followers.map(({ table }) => toFunctionName(table));
  const { rows } = await sql<{ name: string }>`
    select oid::regproc::text as name from pg_proc
    where pronamespace = ${mirrorSchema}::regnamespace and proname like 'follow\\_%'`.execute(db);
  return rows
    .map(({ name }) => (name.includes('.') ? name : `${mirrorSchema}.${name}`))
    .filter((name) => !known.includes(name));
}

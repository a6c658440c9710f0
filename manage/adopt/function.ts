import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { mirrorSchema } from '../schema.ts';
import { findSimple, toChange } from './changes.ts';
import { toHold, toHoldSeen } from './hold.ts';
import type { Mirror } from './mirror.ts';
import { isOneRow, toChanged, toDelete, toUpsert } from './mirror-sql.ts';
import { quoteName, quoteText } from './quoting.ts';
import { type Follower, toFunctionName } from './triggers.ts';

/** How long a write of theirs waits for us at most: less than PostgreSQL waits until it looks for a deadlock. */
const longestWaitMs = 100;

/**
 * What a write of theirs does to our tables, in its own transaction. It runs as its owner, so that who writes needs no right on our tables, and
 * searches nothing but pg_catalog. Their write neither fails nor waits because of us: what is wrong is noted as a fault, which closes the API, and
 * later writes return early; keys of rows that others hold, or have written unseen, are noted as late, which closes it until the next write or `adopt`
 * catches up with them. What passes by itself (a cancelled statement, no space) would have failed it anyway.
 * The plans are those of few rows, by keys: one that was kept from a write of one row would take minutes for one of 50,000. Without JIT: where an
 * empty table is read whole all the same, PostgreSQL takes that for dear enough to compile. And nothing kept aside: a connection that planned while
 * our table was empty would read an index of it whole, for each write, until it is analyzed.
 */
export async function createFunction(db: Kysely<Database>, follower: Follower): Promise<void> {
  const { table, key, mirrors } = follower;
  const [name, late] = [quoteName(key), `${mirrorSchema}.late`];
  // Who follows the users' table catches up for those that are joined to it, and they for it.
  const relation = mirrors[0]?.sources[0]?.table.id;
  const isOwn = relation === table.id;
  const mayRepeat = mirrors.some((mirror) => mirror.mayRepeat);
  const simple = findSimple(mirrors);
  const body = `
<<follow>> -- names its variables in statements, where a column of theirs may be called the same
declare
  keys bigint[];
  changed bigint[]; -- those of the keys by which one of our tables changes
  rows bigint;
  differs boolean[]; -- of an update of one row: whether it changes our tables, each in its place; else null
  has_late boolean;
  present bigint;
  has_left boolean := ${isOwn} and tg_op <> 'INSERT'; -- whether a key may be none of theirs any more
  may_lose boolean := ${!isOwn || mayRepeat} or tg_op <> 'INSERT'; -- whether a row may be none that counts
begin
  case tg_op
    when 'INSERT' then keys := array(select distinct ${name} from written);
    when 'UPDATE' then
      ${simple ? toSingle(name, late, mirrors, simple) : ''}
      if differs is null then
        select array(select ${name} from written union select ${name} from gone), (select count(*) from written) into keys, rows;
        has_left := ${isOwn} and cardinality(keys) > rows;
      end if;
    when 'DELETE' then keys := array(select distinct ${name} from gone);
    else keys := array(${toHeldKeys(mirrors)});
  end case;
  if exists (select from ${late}) or exists (select from ${mirrorSchema}.faults) then
    -- above read committed it sees what was at its beginning, perhaps a fault that is mended
    if exists (select from ${mirrorSchema}.faults) and current_setting('transaction_isolation') = 'read committed' then return null; end if;
    with taken as (
      delete from ${late} where ctid = any (array(select ctid from ${late} where relation = ${relation} for update skip locked)) returning key)
    select array(select key from taken union select unnest(follow.keys)) into keys;
    differs := null;
    has_left := true;
    may_lose := true;
  end if;
  if cardinality(keys) = 0 then return null; end if;
  ${[toHoldSeen(mirrors), ...mirrors.map(toHold)].join('')}
  ${mirrors.map((mirror, index) => toStep(mirror, index + 1, isOwn)).join('\n  ')}
  return null;
exception
  when lock_not_available or deadlock_detected or serialization_failure then
    insert into ${late} select ${relation}, key from unnest(follow.keys) as key where key is not null;
    return null;
  when others then
    if left(sqlstate, 2) in ('40', '53', '55', '57') then raise; end if;
    insert into ${mirrorSchema}.faults (relation, code, message)
      values (tg_relid::regclass::text, sqlstate, case when left(sqlstate, 2) in ('23', '42') then sqlerrm else 'not shown, for it may quote data' end);
    return null;
end`;
  await sql
    .raw(`create or replace function ${toFunctionName(table)}() returns trigger language plpgsql security definer
      set search_path = pg_catalog, pg_temp set lock_timeout = ${longestWaitMs}
      set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_material = off set jit = off set plan_cache_mode = force_generic_plan as ${quoteText(body)}`)
    .execute(db);
}

const toHeldKeys = (mirrors: Mirror[]): string =>
  mirrors
    .map(({ table, key, scope }) => `select ${key} from ${mirrorSchema}.${table} ${scope ? `where ${scope}` : ''}`)
    .join(' union ');

/** One statement says what an update of one row changes: of most, nothing. Of more rows, those that meet here say nothing. */
const toSingle = (key: string, late: string, mirrors: Mirror[], users: Mirror): string => `
      select (select count(*) from written), array[u.${key}, g.${key}], array[${mirrors.map((mirror) => toChange(mirror, users)).join(', ')}],
        u.${key} <> g.${key}, exists (select from ${late})
        from written as u, gone as g limit 1 into rows, keys, differs, has_left, has_late;
      if rows = 1 and not has_late and not true = any (differs) then return null; end if;
      if rows > 1 then differs := null; end if;`;

/** `place`: that of the mirror, from 1. What is inserted we cannot have yet, unless it is of a table that only adds to a user. */
function toStep(mirror: Mirror, place: number, isOwn: boolean): string {
  return `
  changed := keys;
  if differs is not null then
    if not differs[${place}] then changed := '{}'; end if;
  elsif ${isOwn ? `tg_op = 'UPDATE' and ` : ''}not has_left then changed := array(${toChanged(mirror, 'follow.keys')}); end if;
  if cardinality(changed) > 0 then
    ${toUpsert(mirror, 'follow.changed')};
    if ${isOwn && isOneRow(mirror) ? 'has_left' : 'may_lose'} then ${toDelete(mirror, 'follow.changed')}; end if;
  end if;`;
}

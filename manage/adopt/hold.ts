import type { Mirror } from './mirror.ts';
import { list, toRows, toTarget } from './mirror-sql.ts';

/**
 * Statements after which nobody else writes these rows of ours until this transaction ends, for rows that two of theirs make: whoever comes second
 * waits in them, and sees in the next statement what the first has written. A row that is not there is held by making it, for whoever makes the same
 * waits too; what is none of theirs is deleted below.
 */
export function toHold(mirror: Mirror): string {
  if (mirror.mayRepeat) return holdRepeated(mirror);
  return mirror.table === 'users' && mirror.sources.length > 1 ? holdUsers(mirror) : '';
}

/**
 * Above read committed no statement sees what others have written since the transaction began: where they have, this fails, and the keys are late. Who
 * made again what others have deleted would take ours, which they have deleted too, for right.
 */
export const toHoldSeen = (mirrors: Mirror[]): string =>
  `if current_setting('transaction_isolation') <> 'read committed' then ${mirrors.map((mirror) => `${lock(mirror)};`).join(' ')} end if;`;

/** Who is hidden, or is made by somebody else just now, has no row that could be locked. Who makes a user alone knows of that user. */
const holdUsers = (mirror: Mirror): string => `
  if may_lose then
    ${lock(mirror)};
    get diagnostics present = row_count;
    if present < cardinality(keys) then
      ${insert(mirror, ['id', 'username'], `select key, '' from unnest(follow.keys) as key where key is not null order by key`)};
    end if;
  end if;`;

/** By the rows of theirs that are to be ours, and ours that are not to be any more. */
const holdRepeated = (mirror: Mirror): string => `
  ${lock(mirror)};
  ${insert(
    mirror,
    Object.keys(mirror.values),
    `select distinct on (${list(mirror.identity)}) * from (${toRows(mirror, '= any (follow.keys)')}) as source order by ${list(mirror.identity)}`,
  )};`;

/** Those that are there. */
const lock = (mirror: Mirror): string =>
  `perform from ${toTarget(mirror)} where ${mirror.key} = any (follow.keys) ${mirror.scope ? `and ${mirror.scope}` : ''} order by ${list(mirror.identity)} for update`;

/** Or locks what is there by now, in one order. */
const insert = (mirror: Mirror, columns: string[], rows: string): string => `
      insert into ${toTarget(mirror)} as held (${list(columns)}) ${rows}
        on conflict (${list(mirror.identity)}) do update set ${mirror.key} = held.${mirror.key} where false`;

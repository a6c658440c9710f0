import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { mirrorSchema } from '../schema.ts';
import { batchSizes } from './batch.ts';
import type { Mirror } from './mirror.ts';
import { quoteName } from './quoting.ts';

/** Our table, with its schema: where this runs nothing else is searched. */
export const toTarget = ({ table }: Mirror): string => `${mirrorSchema}.${table}`;

export const list = (names: string[], of = ''): string => names.map((name) => `${of}${name}`).join(', ');

/** As records, in which nulls are alike. */
const isSame = (names: string[]): string =>
  names.map((name) => `held.${name} is not distinct from source.${name}`).join(' and ');

const isSameRow = ({ identity }: Mirror): string =>
  identity.map((name) => `held.${name} = source.${name}`).join(' and ');

const toCondition = (conditions: string[]): string =>
  conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';

/** Their column as it is: cast to our type it would be found by no index. */
const toKey = ({ sources }: Mirror): string => `u.${quoteName(sources[0]?.key ?? '')}`;

/** A query for their rows as ours, distinct, for a table of theirs may say a thing twice. `which`: a condition of their key. */
export function toRows(mirror: Mirror, which?: string): string {
  const { table, values, from, where } = mirror;
  const columns = Object.entries(values).map(([name, expression]) => `${expression} as ${name}`);
  const conditions = which === undefined ? where : [`${toKey(mirror)} ${which}`, ...where];
  return `select ${table === 'user_groups' ? 'distinct ' : ''}${columns.join(', ')} from ${from} ${toCondition(conditions)}`;
}

/** Writes those of the rows with these keys that are not in our table; `keys` is SQL of an array. */
export function toMissing(mirror: Mirror, keys: string): string {
  return `insert into ${toTarget(mirror)} (${list(Object.keys(mirror.values))}) ${toRows(mirror, `= any (${keys})`)} on conflict do nothing`;
}

/** Those of their rows with these keys that are not so in our table, as \`source\`. */
function toNew(mirror: Mirror, keys: string): string {
  const others = Object.keys(mirror.values).filter((name) => !mirror.identity.includes(name));
  const same = [isSameRow(mirror), ...(others.length > 0 ? [isSame(others)] : [])].join(' and ');
  return `from (${toRows(mirror, `= any (${keys})`)}) as source where not exists (select from ${toTarget(mirror)} as held where ${same})`;
}

/** A query for those of the keys by which something differs: an update mostly changes nothing of ours, and looking is cheaper than writing nothing. */
export function toChanged(mirror: Mirror, keys: string): string {
  const written = `select source.${mirror.key} ${toNew(mirror, keys)}`;
  return isOneRow(mirror) ? written : `${written} union select held.${mirror.key} ${toOld(mirror, keys)}`;
}

/** Whether a key is of one row at most. */
const isByKey = ({ key, identity }: Mirror): boolean => identity.length === 1 && identity[0] === key;

/** Whether each row of theirs is one of ours, whatever is in it; and ours is one of theirs, for none is made to be held (hold.ts). */
export const isOneRow = (mirror: Mirror): boolean =>
  isByKey(mirror) && mirror.where.length === 0 && mirror.sources.length === 1;

/** Writes the rows with these keys to our table. Where a key is of several, what is so already is neither written nor locked. */
export function toUpsert(mirror: Mirror, keys: string): string {
  const names = Object.keys(mirror.values);
  const others = names.filter((name) => !mirror.identity.includes(name));
  const action =
    others.length > 0 ? `update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}` : 'nothing';
  const rows = isByKey(mirror) ? toRows(mirror, `= any (${keys})`) : `select * ${toNew(mirror, keys)}`;
  return `insert into ${toTarget(mirror)} as held (${list(names)}) ${rows} on conflict (${list(mirror.identity)}) do ${action}`;
}

/** Deletes those of our rows with these keys that are not among theirs. */
export const toDelete = (mirror: Mirror, keys: string): string => `delete ${toOld(mirror, keys)}`;

/** As \`held\`. */
function toOld(mirror: Mirror, keys: string): string {
  const { key, values, from, where, identity, scope } = mirror;
  const others = identity.filter((name) => name !== key).map((name) => `${values[name]} = held.${name}`);
  const same = [`${toKey(mirror)} = held.${key}`, ...others];
  return `from ${toTarget(mirror)} as held where held.${key} = any (${keys}) ${scope ? `and held.${scope}` : ''}
    and not exists (select from ${from} ${toCondition([...same, ...where])})`;
}

/** A query for the keys of what differs, by kind, as many in a row as a batch has. By `offset 0` a token is hashed once, not wherever its hash stands. */
export function toDifferences(mirror: Mirror): string {
  const { table, key, identity, scope, values } = mirror;
  const names = Object.keys(values);
  const [first = ''] = identity;
  return `
    select kind, count(*)::int as count, array_agg(key)::text as keys from (
      select kind, key, (row_number() over (partition by kind order by key) - 1) / ${table === 'users' ? batchSizes.listed : batchSizes.others} as batch from (
        select coalesce(source.${key}, held.${key}) as key,
          case when held.${first} is null then 'missing' when source.${first} is null then 'extra' else 'different' end as kind
        from (${toRows(mirror)} offset 0) as source
          full join (select ${list(names)} from ${toTarget(mirror)} ${toCondition(scope ? [scope] : [])}) as held on ${isSameRow(mirror)}
        where held.${first} is null or source.${first} is null or not (${isSame(names)})
      ) as differing
    ) as batches
    group by kind, batch order by kind, batch`;
}

/** A line about the rows of ours. */
export async function countRows(db: Kysely<Database>, mirror: Mirror): Promise<string> {
  const { rows } = await sql
    .raw<{ count: number }>(
      `select count(*)::int as count from ${toTarget(mirror)} ${toCondition(mirror.scope ? [mirror.scope] : [])}`,
    )
    .execute(db);
  return `${mirror.table}: ${rows[0]?.count} rows, as in ${mirror.sources.map(({ table }) => table.name).join(' and ')}`;
}

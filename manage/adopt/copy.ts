import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import type { Say } from '../note.ts';
import { batchSizes, inBatch, shareOut, startProgress, toTotal } from './batch.ts';
import type { Mirror } from './mirror.ts';
import { list, toRows, toTarget } from './mirror-sql.ts';

/** Keys as text, of as many rows as a batch has. */
type Range = { first: string; last: string; isListed: boolean; count: number };

/**
 * Writes their rows to tables of ours that are as good as empty, by ranges of keys: a comparison would find all of them, and reading by ranges takes
 * half as long as by keys. What others write meanwhile, or hold, is left to the comparison that follows. Returns whether there was any.
 */
export async function copyToEmpty(connections: Kysely<Database>[], mirrors: Mirror[], say: Say): Promise<boolean> {
  const copies: { mirror: Mirror; ranges: Range[] }[] = [];
  await shareOut(connections, mirrors, async (db, mirror) => {
    if (!(await isEmpty(db, mirror))) return;
    const { rows: ranges } = await sql.raw<Range>(toRanges(mirror)).execute(db);
    copies.push({ mirror, ranges });
  });
  const batches = copies.flatMap(({ mirror, ranges }) => {
    const progress = startProgress(mirror.table, toTotal(ranges), say);
    return ranges.map((range) => ({ range, statement: toCopy(mirror, range), progress }));
  });
  await shareOut(connections, batches, async (db, { range, statement, progress }) => {
    await inBatch(db, (trx) => sql.raw(statement).execute(trx));
    progress(range.count);
  });
  return batches.length > 0;
}

/** The triggers may have written some. */
async function isEmpty(db: Kysely<Database>, mirror: Mirror): Promise<boolean> {
  const { rows } = await sql
    .raw(`select from ${toTarget(mirror)} where ${mirror.scope ?? 'true'} limit ${batchSizes.others}`)
    .execute(db);
  return rows.length < batchSizes.others;
}

/** SQL of whether a row, as `source`, is a listed user's. */
const toIsListed = ({ table }: Mirror): string =>
  table === 'users' ? 'coalesce(source.is_staff or source.is_admin, false)' : 'false';

/** Listed users before the others, so that they lie together in our table. A key is in one range alone: two connections copy, each its own. */
const toRanges = (mirror: Mirror): string => `
  select min(key)::text as first, max(key)::text as last, "isListed", count(*)::int as count from (
    select key, "isListed", (rank() over (partition by "isListed" order by key) - 1)
      / case when "isListed" then ${batchSizes.listed} else ${batchSizes.others} end as batch
    from (select source.${mirror.key} as key, ${toIsListed(mirror)} as "isListed" from (${toRows(mirror)}) as source) as keys
  ) as batches
  group by "isListed", batch order by "isListed" desc, batch`;

/** What is there is left out before it is inserted: `on conflict` takes half as long again for each row. */
function toCopy(mirror: Mirror, { first, last, isListed }: Range): string {
  const [target, which] = [toTarget(mirror), `between ${first} and ${last}`];
  return `
    insert into ${target} (${list(Object.keys(mirror.values))})
    select * from (${toRows(mirror, which)}) as source where (${toIsListed(mirror)}) = ${isListed}
      and (${list(mirror.identity, 'source.')}) not in (select ${list(mirror.identity)} from ${target} where ${mirror.key} ${which})`;
}

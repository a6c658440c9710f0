import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import type { Say } from '../note.ts';
import { batchSizes, inBatch, startProgress, toTotal } from './batch.ts';
import type { Mirror } from './mirror.ts';
import { list, toRows, toTarget } from './mirror-sql.ts';

/** Keys as text, of as many rows as a batch has. */
type Range = { first: string; last: string; count: number };

/**
 * Writes their rows to a table of ours that is as good as empty, by ranges of keys: a comparison would find all of them, and reading by ranges takes
 * half as long as by keys. What others write meanwhile, or hold, is left to the comparison that follows.
 */
export async function copyToEmpty(db: Kysely<Database>, mirror: Mirror, say: Say): Promise<void> {
  if (!(await isEmpty(db, mirror))) return;
  const copies: { part: Part; ranges: Range[] }[] = [];
  for (const part of toParts(mirror)) {
    const { rows: ranges } = await sql.raw<Range>(toRanges(mirror, part)).execute(db);
    copies.push({ part, ranges });
  }
  const progress = startProgress(mirror.table, toTotal(copies.flatMap(({ ranges }) => ranges)), say);
  for (const { part, ranges } of copies) {
    for (const range of ranges) {
      await inBatch(db, (trx) => sql.raw(toCopy(mirror, part, range)).execute(trx));
      progress(range.count);
    }
  }
}

/** The triggers may have written some. */
async function isEmpty(db: Kysely<Database>, mirror: Mirror): Promise<boolean> {
  const { rows } = await sql
    .raw(`select from ${toTarget(mirror)} where ${mirror.scope ?? 'true'} limit ${batchSizes.others}`)
    .execute(db);
  return rows.length < batchSizes.others;
}

/** Rows, as `source`, by ranges of so many. */
type Part = { where: string; size: number };

/** Listed users before the others, so that they lie together in our table. */
function toParts({ table }: Mirror): Part[] {
  if (table !== 'users') return [{ where: 'true', size: batchSizes.others }];
  const isListed = 'coalesce(source.is_staff or source.is_admin, false)';
  return [
    { where: isListed, size: batchSizes.listed },
    { where: `not ${isListed}`, size: batchSizes.others },
  ];
}

const toRanges = (mirror: Mirror, { where, size }: Part): string => `
  select min(key)::text as first, max(key)::text as last, count(*)::int as count from (
    select source.${mirror.key} as key, (row_number() over (order by source.${mirror.key}) - 1) / ${size} as batch
    from (${toRows(mirror)}) as source where ${where}
  ) as batches
  group by batch order by batch`;

const toCopy = (mirror: Mirror, { where }: Part, { first, last }: Range): string => `
  insert into ${toTarget(mirror)} (${list(Object.keys(mirror.values))})
  select * from (${toRows(mirror, `between ${first} and ${last}`)}) as source where ${where} on conflict do nothing`;

import pg from 'pg';
import { type Dataset, toDatabase, withDatabase } from './datasets.ts';
import { ratio, toTable } from './markdown.ts';
import { median } from './measure.ts';

/** `each`: of how many users a statement writes. `$1` counts up, so that each statement writes others. */
const writers: Record<string, { sql: string; each: number }> = {
  "a customer's sign-in": { sql: 'update users set last_login = now() where id = 1 + $1 * {nth}', each: 1 },
  "a staff member's sign-in": { sql: 'update users set last_login = now() where id = {nth} + $1 * {nth}', each: 1 },
  'a new customer': { sql: toInsert('$1', false), each: 1 },
  'a new staff member': { sql: toInsert('$1', true), each: 1 },
  'staff loaded at once, of each': {
    sql: toInsert('$1 * 5000 + n', true, 'from generate_series(1, 5000) n'),
    each: 5000,
  },
};

function toInsert(number: string, isStaff: boolean, from = ''): string {
  const name = `'writer' || (${number})::bigint`;
  return `insert into users (username, email, first_name, last_name, gender, is_staff, last_login)
    select ${name}, ${name} || '@example.com', 'Zoë', 'Núñez', 'other', ${isStaff}, now() ${from}`;
}

/** Milliseconds for each user written, without the commit. */
export type Writer = { who: string; withIndexes: number; without: number; ratio: number };

/** What the indexes of the orderings cost who writes: in a transaction with them, then without them, then undone; by turns. */
export async function measureWriters(serverUrl: string, dataset: Dataset, rounds: number): Promise<Writer[]> {
  const owner = new pg.Client({ connectionString: withDatabase(serverUrl, toDatabase(dataset)).href });
  await owner.connect();
  const { rows: indexes } = await owner.query(
    `select indexname as name from pg_indexes where indexname like 'users\\_list\\_%'`,
  );
  const results = Object.entries(writers).map(([who, writer]) => ({
    who,
    ...writer,
    with: [] as number[],
    without: [] as number[],
  }));
  const nth = Math.round(dataset.users / dataset.listed);
  let number = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const result of results) {
      const write = async () => {
        const samples: number[] = [];
        for (let run = 0; run < (result.each > 1 ? 2 : 200); run += 1) {
          number += 1;
          const place = result.sql.startsWith('update') ? number % (dataset.listed - 1) : number;
          const start = performance.now();
          await owner.query({ name: result.who, text: result.sql.replaceAll('{nth}', String(nth)), values: [place] });
          samples.push((performance.now() - start) / result.each);
        }
        return median(samples);
      };
      await owner.query('begin');
      result.with.push(await write());
      for (const { name } of indexes) await owner.query(`drop index ${name}`);
      result.without.push(await write());
      await owner.query('rollback');
    }
  }
  await owner.query('vacuum analyze users'); // of what was undone
  await owner.end();
  return results.map(({ who, with: dear, without }) => ({
    who,
    withIndexes: median(dear),
    without: median(without),
    ratio: median(dear.map((each, round) => each / (without[round] ?? Number.NaN))),
  }));
}

export const toWritersTable = (written: Writer[]): string =>
  toTable(
    ['who is written', 'ms', 'without the indexes of the orderings', 'ratio'],
    written.map(({ who, withIndexes, without, ratio: times }) => [
      who,
      ...[withIndexes, without].map((each) => each.toFixed(3)),
      ratio(times),
    ]),
  );

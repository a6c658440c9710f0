import pg from 'pg';
import { type Dataset, toDatabase, withDatabase } from './datasets.ts';
import { met, ms, ratio, toTable } from './markdown.ts';
import { median } from './measure.ts';
import { openHandler, warmUp } from './subject.ts';

const filter = 'is_active=true';
const signInsPerSecond = 200;
const windowSeconds = 10;

/** p50 of the filter before anybody signs in, and in each window while they do, milliseconds; vacuums that ran meanwhile. */
export type Churn = { quiet: number; windows: number[]; signIns: number; autovacuums: number };

/**
 * A filter while customers sign in. Listed users share the table's pages with them: each sign-in takes its page out of the visibility map, and
 * an index-only scan then looks into the table, until a vacuum puts the page back.
 */
export async function measureChurn(
  { serverUrl, databaseUrl, dataset }: { serverUrl: string; databaseUrl: string; dataset: Dataset },
  seconds: number,
): Promise<Churn> {
  const handler = await openHandler(databaseUrl);
  const owner = new pg.Client({ connectionString: withDatabase(serverUrl, toDatabase(dataset)).href });
  await owner.connect();
  await owner.query('vacuum users');
  await owner.query('checkpoint');
  await warmUp(() => handler(''));
  const quiet = await measureFor(windowSeconds, handler);
  const before = await countVacuums(owner);
  const customers = startSignIns(owner, dataset);
  const windows: number[] = [];
  while (windows.length < seconds / windowSeconds) windows.push(await measureFor(windowSeconds, handler));
  const signIns = await customers.stop();
  const autovacuums = (await countVacuums(owner)) - before;
  await owner.query('vacuum users'); // for what is measured next
  await owner.end();
  return { quiet, windows, signIns, autovacuums };
}

async function measureFor(seconds: number, handler: (query: string) => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const start = performance.now();
    await handler(filter);
    samples.push(performance.now() - start);
  }
  return median(samples);
}

/** At an even rate, whatever the machine is busy with: who is late catches up. */
function startSignIns(owner: pg.Client, { users, listed }: Dataset) {
  const nth = Math.round(users / listed);
  const start = performance.now();
  let sent = 0;
  let last: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    const due = ((performance.now() - start) / 1000) * signInsPerSecond;
    for (; sent < due; sent += 1) {
      const id = 1 + ((sent * 7_919_033) % (users - 1));
      const values = [id % nth === 0 ? id + 1 : id]; // every nth is listed
      last = owner.query({ name: 'sign-in', text: 'update users set last_login = now() where id = $1', values });
    }
  }, 5);
  return {
    async stop(): Promise<number> {
      clearInterval(timer);
      await last;
      return sent;
    },
  };
}

async function countVacuums(owner: pg.Client): Promise<number> {
  const { rows } = await owner.query(
    `select autovacuum_count::int as count from pg_stat_user_tables where relname = 'users'`,
  );
  return rows[0].count;
}

export function toChurnText({ quiet, windows, signIns, autovacuums }: Churn): string {
  const rows = [
    ['nobody signs in', ms(quiet), '1.00'],
    ...windows.map((p50, index) => [
      `${index * windowSeconds} to ${(index + 1) * windowSeconds} s`,
      ms(p50),
      ratio(p50 / quiet),
    ]),
  ];
  const worst = Math.max(...windows) / quiet;
  return [
    `\`?${filter}\` while ${signInsPerSecond} customers a second sign in, ${signIns} in all; autovacuum, as the migrations set it, ran ${autovacuums} times.`,
    toTable(['', 'p50', '/ quiet'], rows),
    `Goal, at most 1.5 times as long: ${met(worst <= 1.5)}.`,
  ].join('\n\n');
}

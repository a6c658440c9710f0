import pg from 'pg';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { type Dataset, toDatabase, withDatabase } from './datasets.ts';
import { met, ms, ratio, toTable } from './markdown.ts';
import { median } from './measure.ts';
import { openHandler, warmUp } from './subject.ts';

const filter = 'is_active=true';
const signInsPerSecond = 200;
const windowSeconds = 10;

/**
 * p50 of the filter before anybody signs in, and in each window while they do, milliseconds; dead rows, as PostgreSQL counts them for
 * autovacuum, and how often that ran.
 */
export type Churn = {
  where: string;
  quiet: number;
  windows: number[];
  deadRows: number;
  autovacuums: number;
};

/** Puts the listed back to where they came, in order of ids. */
const scatter = 'cluster users using users_pkey';

/** Where the listed stand in the table, and how they get there. */
const places: Record<string, (owner: pg.Client, ownerUrl: string) => Promise<unknown>> = {
  'where they came, one after each 49 customers': (owner) => owner.query(scatter),
  'gathered by `gather-listed`': (_, ownerUrl) => gatherListed(ownerUrl),
};

/**
 * A filter while customers sign in. Listed users share the table's pages with them: each sign-in takes its page out of the visibility map, and
 * an index-only scan then looks into the table, until a vacuum puts the page back.
 */
export async function measureChurn(
  { serverUrl, databaseUrl, dataset }: { serverUrl: string; databaseUrl: string; dataset: Dataset },
  seconds: number,
): Promise<Churn[]> {
  const handler = await openHandler(databaseUrl);
  const ownerUrl = withDatabase(serverUrl, toDatabase(dataset)).href;
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  const results: Churn[] = [];
  for (const [where, place] of Object.entries(places)) {
    await place(owner, ownerUrl);
    await owner.query('vacuum analyze users');
    await warmUp(() => handler(''));
    const quiet = await measureFor(windowSeconds, handler);
    const before = await readStatistics(owner);
    const customers = startSignIns(owner, dataset);
    const windows: number[] = [];
    while (windows.length < seconds / windowSeconds) windows.push(await measureFor(windowSeconds, handler));
    await customers.stop();
    const { autovacuums, deadRows } = await readStatistics(owner);
    results.push({ where, quiet, windows, deadRows, autovacuums: autovacuums - before.autovacuums });
  }
  await owner.query(scatter); // as the data set was
  await owner.query('vacuum analyze users');
  await owner.end();
  return results;
}

async function gatherListed(ownerUrl: string): Promise<void> {
  const db = openForOperators(ownerUrl);
  await runCommand(db, ['gather-listed']);
  await db.destroy();
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
    async stop(): Promise<void> {
      clearInterval(timer);
      await last;
    },
  };
}

async function readStatistics(owner: pg.Client): Promise<{ autovacuums: number; deadRows: number }> {
  const { rows } = await owner.query(
    `select autovacuum_count::int as autovacuums, n_dead_tup::int as "deadRows" from pg_stat_user_tables where relname = 'users'`,
  );
  return rows[0];
}

export function toChurnText(churn: Churn[]): string {
  const heads =
    churn[0]?.windows.map((_, index) => `${index * windowSeconds} to ${(index + 1) * windowSeconds} s`) ?? [];
  const table = toTable(
    ['the listed stand', 'quiet', ...heads, 'dead rows', 'autovacuums', 'goal ≤ 1.5'],
    churn.map(({ where, quiet, windows, deadRows, autovacuums }) => [
      where,
      ms(quiet),
      ...windows.map((p50) => `${ms(p50)} (${ratio(p50 / quiet)})`),
      String(deadRows),
      String(autovacuums),
      met(Math.max(...windows) <= 1.5 * quiet),
    ]),
  );
  return `\`?${filter}\`, p50, while ${signInsPerSecond} customers sign in each second; in brackets, of the quiet one. Dead rows as autovacuum sees them at the end.\n\n${table}`;
}

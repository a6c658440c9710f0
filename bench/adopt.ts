// node bench/adopt.ts [<users>]: what it takes to adopt a Django database, for docs/adopt.md; prints tables. A million users unless said, of whom
// every 50th is of staff, and a third has a token. It takes some ten minutes.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { runCommand } from '../manage/commands.ts';
import { fillDjango, toOwnTables, withOperator } from './adopt-databases.ts';
import { makeProject } from './application.ts';
import { startDatabaseServer } from './database-server.ts';
import { withDatabase } from './datasets.ts';
import { ms, ratio, toTable } from './markdown.ts';
import { measure, median } from './measure.ts';
import { openHandler } from './subject.ts';

const users = Number(process.argv[2] ?? 1_000_000);
const rounds = 5;
const queries = {
  'default page': '',
  'limit=100': 'limit=100',
  'search=ali': 'search=ali',
  is_active: 'is_active=true',
  gender: 'gender=female',
  group_id: 'group_id=3',
  has_token: 'has_token=true',
  'ordering=email': 'ordering=email',
  'four filters': 'gender=female&groups_in=4,5&is_active=true&created_from=2022-06-01',
};
const mapping = JSON.stringify({
  users: 'accounts_user',
  columns: { mobile_number: 'phone', gender: { column: 'gender', values: { M: 'male', F: 'female', O: 'other' } } },
  last_seen: 'last_seen',
  permission: 'accounts.view_user',
});
const say = (text: string) => process.stderr.write(`${text}\n`);
const print = (text: string) => process.stdout.write(`${text}\n\n`);

const server = await startDatabaseServer();
// An exit ends the server and deletes its data; a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
spawnSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });

say(`making a Django database of ${users} users …`);
const djangoUrl = await createDatabase('django', 'template0');
const project = makeProject(djangoUrl);
await fillDjango(djangoUrl, users);
const ownUrl = await createDatabase('own', 'django');
await toOwnTables(ownUrl);

const stop = `${tmpdir()}/users-api-adopt-${process.pid}`;
print(await measureCommands());
print(await measureWrites());
print(await measureRequests());
project.remove();
await server.remove();
process.exit();

/** Returns its URL. */
async function createDatabase(name: string, template: string): Promise<string> {
  await withOperator(server.url, (admin) =>
    sql`create database ${sql.id(name)} template ${sql.id(template)}`.execute(admin),
  );
  return withDatabase(server.url, name).href;
}

/** Seconds and the longest waits of two processes that write meanwhile. */
async function measureCommands(): Promise<string> {
  const alone = async (...words: string[]) => {
    const start = performance.now();
    await withOperator(djangoUrl, (db) => runCommand(db, words, () => {}, say));
    return (performance.now() - start) / 1000;
  };
  const rows: string[][] = [];
  const add = async (name: string, run: () => Promise<number>, seconds?: number) => {
    say(name);
    const writers = [project.start(), project.start()];
    for (const writer of writers) await writer.run('None', { total: users, seat: 0 });
    rmSync(stop, { force: true });
    const written = writers.map((writer, seat) =>
      writer.run<Record<string, number>>('write_until(stop)', { total: users, seat, stop }),
    );
    await sleep(1000);
    const took = await run();
    await sleep(1000);
    writeFileSync(stop, '');
    const longest = await Promise.all(written);
    for (const writer of writers) writer.stop();
    rows.push([
      name,
      seconds?.toFixed(1) ?? '',
      took.toFixed(1),
      ...Object.keys(longest[0] ?? {}).map((kind) => Math.max(...longest.map((each) => each[kind] ?? 0)).toFixed(0)),
    ]);
  };
  await add('nothing', () => sleep(10_000, 10));
  const adopting = await alone('adopt', mapping);
  const undoing = await alone('adopt', '--undo');
  await add('adopt', () => alone('adopt', mapping), adopting);
  await add('adopt again', () => alone('adopt'), await alone('adopt'));
  await add('adopt --check', () => alone('adopt', '--check'), await alone('adopt', '--check'));
  await add('adopt --undo', () => alone('adopt', '--undo'), undoing);
  await alone('adopt', mapping);
  rmSync(stop);
  return toTable(
    [
      'command',
      's alone',
      's while two processes write 200 times a second',
      ...['read', 'customer', 'staff', 'new', 'groups', 'token'].map((kind) => `longest ${kind}, ms`),
    ],
    rows,
  );
}

/** By the ORM, by turns with our triggers and without. */
async function measureWrites(): Promise<string> {
  const application = project.start();
  const samples = { enable: [] as Record<string, number>[], disable: [] as Record<string, number>[] };
  await withOperator(djangoUrl, async (db) => {
    const { rows: triggers } = await sql<{ table: string; name: string }>`
      select tgrelid::regclass::text as table, tgname as name from pg_trigger where tgname like 'users\\_api\\_%'`.execute(
      db,
    );
    for (let round = 0; round <= rounds; round += 1) {
      for (const kind of ['disable', 'enable'] as const) {
        for (const { table, name } of triggers)
          await sql
            .raw(`alter table ${table} ${kind} ${kind === 'enable' ? 'always' : ''} trigger ${name}`)
            .execute(db);
        const times = await application.run<Record<string, number>>('time_writes()', { total: users, seat: 0 });
        if (round > 0) samples[kind].push(times);
      }
    }
    await runCommand(db, ['adopt']);
  });
  application.stop();
  const names = Object.keys(samples.enable[0] ?? {});
  const of = (kind: keyof typeof samples, name: string) => median(samples[kind].map((times) => times[name] ?? 0));
  return toTable(
    ['written by the ORM', 'ms without', 'with', 'ratio'],
    names.map((name) => {
      const [without, adopted] = [of('disable', name), of('enable', name)];
      return [name, ms(without), ms(adopted), ratio(adopted / without)];
    }),
  );
}

/** Of the API, by turns on both databases. */
async function measureRequests(): Promise<string> {
  const reader = 'users_api_bench';
  const urls: string[] = [];
  for (const url of [ownUrl, djangoUrl]) {
    await withOperator(url, (db) => runCommand(db, ['create-reader', reader]));
    await withOperator(url, (db) => sql`vacuum (analyze)`.execute(db));
    urls.push(Object.assign(new URL(url), { username: reader }).href);
  }
  const [native, adopted] = [await openHandler(urls[0] ?? ''), await openHandler(urls[1] ?? '')];
  const rows: string[][] = [];
  for (const [name, query] of Object.entries(queries)) {
    const times = await measure(
      { native: () => native(query), adopted: () => adopted(query) },
      { warmUp: 300, counted: 300 },
    );
    rows.push([name, ms(times.native.p50), ms(times.adopted.p50), ratio(times.adopted.p50 / times.native.p50)]);
  }
  return toTable(['request', 'ms on own tables', 'adopted', 'ratio'], rows);
}

// node bench/database-cpu.ts: what a request costs the database in CPU time, for docs/scale.md; prints a table. It takes some minutes, most of
// them to make the data. CPU time leaves out the waiting on a busy machine, not what other programs push out of the caches.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { startDatabaseServer } from './database-server.ts';
import { datasets, provide } from './datasets.ts';
import { ms, toTable } from './markdown.ts';
import { median } from './measure.ts';
import { openHandler, type Subject } from './subject.ts';

const kinds: Record<string, string> = {
  'default page': '',
  'limit=100': 'limit=100',
  'search=ali': 'search=ali',
  'is_active=false': 'is_active=false',
  'four filters': 'gender=female&groups_in=4,5&is_active=true&created_from=2024-06-01',
  'ordering=-last_login': 'ordering=-last_login',
};
const rounds = 5;
const requests = 200;
const measured = [datasets.small2k, datasets.A];

const server = await startDatabaseServer();
// An exit ends the server and deletes its data; a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
spawnSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });
const urls = await provide(server.url, measured);
const admin = new pg.Client({ connectionString: server.url });
await admin.connect();

const columns: Measured[] = [];
for (const url of urls) columns.push(await measureDatabase(url));
const rows = Object.keys((columns[0] as Measured).cpuMs).map((kind) => [
  kind,
  ...columns.map(({ cpuMs }) => ms(cpuMs[kind])),
]);
const memory = ['MB of a connection', ...columns.map(({ connectionMb }) => ms(connectionMb))];
const head = ['CPU ms of the database', ...measured.map(({ listed, users }) => `${listed} of ${users}`)];
process.stdout.write(`${toTable(head, [...rows, memory])}\n`);
await admin.end();
await server.remove();
process.exit();

type Measured = { cpuMs: Record<string, number>; connectionMb: number };

/** Medians of rounds, each with an instance, a connection and so a process of PostgreSQL's of its own. */
async function measureDatabase(url: string): Promise<Measured> {
  const samples: Record<string, number[]> = {};
  const add = (kind: string, cpuMs: number) => {
    samples[kind] ??= [];
    samples[kind].push(cpuMs);
  };
  const memory: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Another name for each connection, to know its process by.
    const name = `round-${crypto.randomUUID().slice(0, 8)}`;
    const named = new URL(url);
    named.searchParams.set('application_name', name);
    const handler = await openHandler(named.href);
    await handler('');
    const pid = await findProcess(name);
    add('a new connection and its first request', readCpuMs(pid));
    await handler(''); // planned for the last time
    for (const [kind, query] of Object.entries(kinds)) add(kind, await measureKind(handler, query, pid));
    memory.push(readPrivateMb(pid));
  }
  const cpuMs = Object.fromEntries(Object.entries(samples).map(([kind, values]) => [kind, median(values)]));
  return { cpuMs, connectionMb: median(memory) };
}

async function measureKind(handler: Subject, query: string, pid: number): Promise<number> {
  for (let request = 0; request < requests / 4; request += 1) await handler(query);
  const before = readCpuMs(pid);
  for (let request = 0; request < requests; request += 1) await handler(query);
  return (readCpuMs(pid) - before) / requests;
}

async function findProcess(name: string): Promise<number> {
  const { rows } = await admin.query('select pid from pg_stat_activity where application_name = $1', [name]);
  return rows[0].pid;
}

/** That a process has had; `stat` has it too, by hundredths of a second. */
function readCpuMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** What goes with the process: shared_buffers, which all have together, do not. */
function readPrivateMb(pid: number): number {
  const [, kb = '0'] = /^Private_Dirty: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}

// npm run bench [-- --quick | --full]: measures the built function and writes bench/results/. DATABASE_URL, or a throw-away server.
// `-- --beside`, with or without --quick: compares it with its peer alone, and prints that.
import { spawnSync } from 'node:child_process';
import pg from 'pg';
import { readSettings } from '../lib/settings.ts';
import { measureBeside, type Pair, toBesideText, toSkipped } from './beside.ts';
import { measureChurn } from './churn.ts';
import { bundleBytes, measureColdStart } from './cold-start.ts';
import { measureCompression } from './compression.ts';
import { startDatabaseServer } from './database-server.ts';
import { datasets, provide } from './datasets.ts';
import { measureDepth } from './depth.ts';
import { measureGrowth } from './growth.ts';
import { measureOverhead } from './overhead.ts';
import { providePeer } from './peer-database.ts';
import { writeReport } from './report.ts';
import { listMissing, wrk } from './servers.ts';
import { measureMemory, measureThroughput } from './throughput.ts';
import { findWorst } from './worst.ts';
import { measureWriters } from './writers.ts';

const isQuick = process.argv.includes('--quick');
const isFull = process.argv.includes('--full');
const isBesideAlone = process.argv.includes('--beside');
const say = (text: string) => process.stderr.write(`${text}\n`);

const { databaseUrl } = readSettings(process.env);
const server = databaseUrl ? undefined : await startDatabaseServer();
const serverUrl = databaseUrl ?? server?.url ?? '';
// An exit ends the server and deletes its data; a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

spawnSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });

/** By the number of listed users, for the plot. */
const allNames: (keyof typeof datasets)[] = [
  'small200',
  'small2k',
  ...(isQuick ? [] : (['A', ...(isFull ? (['B'] as const) : []), 'C'] as const)),
];
const besideNames: typeof allNames = isQuick ? ['small2k'] : ['small2k', 'A'];
const names = isBesideAlone ? besideNames : allNames;
const urls = await provide(
  serverUrl,
  names.map((name) => datasets[name]),
);
const databases: Record<string, string> = Object.fromEntries(names.map((name, index) => [name, urls[index] as string]));
// Where there is no A, the largest that there is stands for it.
const A = databases['A'] ?? (databases['small2k'] as string);
const C = databases['C'];
const each = isQuick ? 300 : 1000;

const missing = listMissing(wrk);
if (missing.length > 0) say(toSkipped(missing));
/** Made before anybody is connected to the data sets: they are copied. */
const pairs: Pair[] = [];
for (const name of missing.length > 0 ? [] : besideNames) {
  const peerUrl = await providePeer(serverUrl, datasets[name]);
  pairs.push({ listed: datasets[name].listed, oursUrl: databases[name] as string, peerUrl });
}
const besidePeer = () => measureBeside(pairs, isQuick ? 1 : 3, isQuick ? 1 : 3);
if (isBesideAlone) {
  process.stdout.write(`${toBesideText(missing, await besidePeer())}\n`);
  await server?.remove();
  process.exit();
}

say('memory …');
const memory = await measureMemory(A, isQuick ? 1000 : 10_000);
say('overhead …');
const overhead = await measureOverhead(A, isQuick ? 3 : 9, each / 2);
say('growth …');
const growth = await measureGrowth(databases, each / 2);
say('depth …');
const depth = C ? await measureDepth(C, datasets.C.listed, 4 * each) : undefined;
say('throughput …');
const throughput = await measureThroughput(A, isQuick ? 3 : 9, each / 2);
say('beside the peer …');
const beside = await besidePeer();
say('compression …');
const compression = await measureCompression(A, 2 * each);
say('cold start …');
const coldStart = await measureColdStart(A, isQuick ? 5 : 25);
say('writers …');
const writers = await measureWriters(serverUrl, datasets[databases['A'] ? 'A' : 'small2k'], isQuick ? 3 : 9);
say('churn …');
const churn = databases['A']
  ? await measureChurn({ serverUrl, databaseUrl: databases['A'], dataset: datasets.A }, 60)
  : undefined;
say('the worst request …');
const worst = C ? await findWorst(C) : undefined;

const folder = isQuick ? 'bench/results/quick' : 'bench/results';
writeReport(folder, {
  server: await readServer(serverUrl),
  overhead,
  growth,
  depth,
  writers,
  churn,
  worst,
  bundleBytes: bundleBytes(),
  coldStart,
  throughput,
  missing,
  beside,
  compression,
  memory,
});
say(`written: ${folder}/README.md`);
await server?.remove();
process.exit();

async function readServer(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('show server_version');
  await client.end();
  return `PostgreSQL ${rows[0].server_version}`;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSettings, type Settings, SettingsError } from '../lib/settings.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { demoKey } from '../manage/demo.ts';
import { findFreePort, isFreePort } from './servers/free-port.ts';
import type { LocalDatabase } from './servers/local-database.ts';

/** A reason not to start that the newcomer can do something about. */
class CannotStart extends Error {}

try {
  await start(readSettings(process.env));
} catch (error) {
  const isExpected = error instanceof CannotStart || error instanceof SettingsError;
  console.error(isExpected ? error.message : error);
  process.exit(1);
}

async function start(settings: Settings): Promise<void> {
  if (!(await isFreePort(settings.port))) {
    throw new CannotStart(`Port ${settings.port} is taken. Stop what uses it, or set PORT to another one.`);
  }
  const local = settings.databaseUrl ? undefined : await startEmbedded(settings);
  const databaseUrl = settings.databaseUrl ?? local?.url ?? '';
  if (!local) await prepare(databaseUrl, ['migrate']);
  await emulate(settings, databaseUrl, local);
  await local?.stop();
}

/** The embedded database, migrated and filled. A first start that was cut short is begun again. */
async function startEmbedded({ localDirectory }: Settings): Promise<LocalDatabase> {
  takeDirectory(localDirectory);
  const dataDir = join(localDirectory, 'pgdata');
  const completeMark = join(localDirectory, 'complete');
  const isComplete = existsSync(completeMark);
  if (!isComplete) rmSync(dataDir, { recursive: true, force: true });

  say(
    isComplete
      ? 'Starting the embedded PostgreSQL …'
      : 'Creating the embedded PostgreSQL, once; this takes some seconds …',
  );
  const { startLocalDatabase } = await import('./servers/local-database.ts');
  const local = await startLocalDatabase({ dataDir });
  say('Migrating the schema and writing demo data …');
  await prepare(local.url, ['migrate'], ['seed-demo']);
  writeFileSync(completeMark, '');
  return local;
}

/** Two programs on the same data would damage it, and PGlite does not notice. The mark goes when this process ends. */
function takeDirectory(localDirectory: string): void {
  mkdirSync(localDirectory, { recursive: true });
  const ownerFile = join(localDirectory, 'owner');
  const owner = existsSync(ownerFile) ? Number(readFileSync(ownerFile, 'utf8')) : 0;
  if (owner > 0 && isRunning(owner)) {
    throw new CannotStart(
      `${localDirectory} is in use by process ${owner}. Stop it, or set LOCAL_DIRECTORY to another folder.`,
    );
  }
  writeFileSync(ownerFile, String(process.pid));
  process.once('exit', () => rmSync(ownerFile, { force: true }));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function prepare(databaseUrl: string, ...commandLines: string[][]): Promise<void> {
  const db = openForOperators(databaseUrl);
  try {
    for (const commandLine of commandLines) say(...(await runCommand(db, commandLine)));
  } catch (error) {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    throw new CannotStart(`The database could not be prepared: ${reason}`);
  } finally {
    await db.destroy();
  }
}

/** Runs serverless-offline until it ends or is told to. */
async function emulate(settings: Settings, databaseUrl: string, local: LocalDatabase | undefined): Promise<void> {
  const origin = `http://localhost:${settings.port}`;
  say('Starting serverless-offline …');
  // Its own file and not npx: a signal to npx would leave the server behind on the port.
  const ports = ['--httpPort', String(settings.port), '--lambdaPort', String(await findFreePort())];
  const server = spawn(process.execPath, ['node_modules/serverless/bin/serverless.js', 'offline', ...ports], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      // Its gateway has no domain name that leads anywhere.
      PUBLIC_URL: settings.publicUrl ?? origin,
      // One connection stands behind all clients of the embedded database, so statements' names would collide.
      ...(local && { DATABASE_NAMED_STATEMENTS: 'off' }),
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => server.kill(signal));
  const exited = once(server, 'exit');
  const isReady = await Promise.race([untilAnswering(origin), exited.then(() => false)]);
  if (isReady) {
    const key = local ? demoKey : '<key>';
    say(
      '',
      `Ready at ${origin}/api/users/ — Ctrl-C stops it.`,
      `In a browser: ${origin}/api/console/ shows the users, ${origin}/api/docs/ the API. In a terminal:`,
      '',
      `  curl -H 'Authorization: Token ${key}' '${origin}/api/users/?limit=2'`,
      '',
    );
    if (!local) say('For a key: npm run manage -- issue-token <username>');
  }
  const [code] = await exited;
  process.exitCode = code ?? 0;
}

async function untilAnswering(origin: string): Promise<true> {
  for (;;) {
    try {
      await fetch(`${origin}/api/users/`, { method: 'OPTIONS' });
      return true;
    } catch {
      await sleep(100);
    }
  }
}

function say(...lines: string[]): void {
  for (const line of lines) console.log(line);
}

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { readSettings, type Settings, SettingsError } from '../lib/settings.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { demoKey } from '../manage/demo.ts';
import { isAdopted, mirrorSchema } from '../manage/schema.ts';
import { takeDirectory } from './servers/directory-lock.ts';
import { startEmulator } from './servers/emulator.ts';
import { isFreePort } from './servers/free-port.ts';
import type { LocalDatabase } from './servers/local-database.ts';

/** A reason not to start that the newcomer can do something about. */
class CannotStart extends Error {}

try {
  followNpm();
  await start(readSettings(process.env));
} catch (error) {
  const isExpected = error instanceof CannotStart || error instanceof SettingsError;
  console.error(isExpected ? error.message : error);
  process.exit(1);
}

/** A signal to npm ends npm and the shell between, and does not reach this process: it is sent when they are gone. */
function followNpm(): void {
  const { ppid } = process;
  if (process.env['npm_lifecycle_event'] !== 'start') return;
  setInterval(() => process.ppid !== ppid && process.kill(process.pid, 'SIGTERM'), 500).unref();
}

async function start(settings: Settings): Promise<void> {
  if (!(await isFreePort(settings.port))) {
    throw new CannotStart(`Port ${settings.port} is taken. Stop what uses it, or set PORT to another one.`);
  }
  const local = settings.databaseUrl ? undefined : await startEmbedded(settings);
  const given = settings.databaseUrl ? await prepareGiven(settings.databaseUrl) : undefined;

  say('Starting serverless-offline …');
  const origin = `http://localhost:${settings.port}`;
  const emulator = await startEmulator(settings.port, {
    DATABASE_URL: local?.url ?? given?.url ?? '',
    // Its gateway has no domain name that leads anywhere.
    PUBLIC_URL: settings.publicUrl ?? origin,
    // One connection stands behind all clients of the embedded database, so statements' names would collide.
    ...(local && { DATABASE_NAMED_STATEMENTS: 'off' }),
  });
  if (await emulator.isReady) welcome(origin, settings, local, given);
  process.exitCode = await emulator.status;
  await local?.stop();
}

/** The embedded database, migrated and filled. A first start that was cut short is begun again. */
async function startEmbedded({ localDirectory }: Settings): Promise<LocalDatabase> {
  requireDirectory(localDirectory);
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
  await prepare(local.url, async (db) => {
    for (const command of ['migrate', 'seed-demo']) say(...(await runCommand(db, [command])));
  });
  writeFileSync(completeMark, '');
  return local;
}

/** Two programs on the same data would damage it, and PGlite does not notice. */
function requireDirectory(localDirectory: string): void {
  mkdirSync(localDirectory, { recursive: true });
  // For whoever has to stop it, and no more: the lock decides.
  const ownerFile = join(localDirectory, 'owner');
  if (!takeDirectory(localDirectory)) {
    throw new CannotStart(
      `${localDirectory} is in use by process ${readFileSync(ownerFile, 'utf8')}. Stop it, or set LOCAL_DIRECTORY to another folder.`,
    );
  }
  writeFileSync(ownerFile, String(process.pid));
}

/** A database, and who gives out keys for it. */
type Given = { url: string; keys: string };

/** Of a Django application: with the schema that it was adopted into, after the URL's other options. */
function prepareGiven(url: string): Promise<Given> {
  return prepare(url, async (db) => {
    say(...(await runCommand(db, ['migrate'])));
    if (!(await isAdopted(db))) return { url, keys: 'npm run manage -- issue-token <username>' };
    const adopted = new URL(url);
    const options = `${adopted.searchParams.get('options') ?? ''} -csearch_path=${mirrorSchema}`;
    adopted.searchParams.set('options', options.trimStart());
    return { url: adopted.href, keys: 'manage.py drf_create_token <username>, of the application' };
  });
}

async function prepare<Result>(databaseUrl: string, run: (db: Kysely<Database>) => Promise<Result>): Promise<Result> {
  const db = openForOperators(databaseUrl);
  try {
    return await run(db);
  } catch (error) {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    throw new CannotStart(`The database could not be prepared: ${reason}`);
  } finally {
    await db.destroy();
  }
}

function welcome(origin: string, { pages }: Settings, local?: LocalDatabase, given?: Given): void {
  say('', `Ready at ${origin}/api/users/ — Ctrl-C stops it.`);
  if (pages) say(`In a browser: ${origin}/api/console/ shows the users, ${origin}/api/docs/ the API.`);
  say(
    'In a terminal:',
    '',
    `  curl -H 'Authorization: Token ${local ? demoKey : '<key>'}' '${origin}/api/users/?limit=2'`,
    '',
  );
  if (given) say(`For a key: ${given.keys}`);
  if (local)
    say(
      "Operators' commands, while it runs:",
      '',
      `  DATABASE_URL='${local.url}' npm run manage -- list-tokens keegan2255`,
      '',
    );
}

function say(...lines: string[]): void {
  for (const line of lines) console.log(line);
}

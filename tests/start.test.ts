import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { demoKey } from '../manage/demo.ts';
import { findFreePort, isFreePort } from '../scripts/servers/free-port.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { listListening } from './setup/listening.ts';
import { writePeople } from './setup/people.ts';

/** `npm start` without npm, which the tests would have to signal through. */
type Started = { process: ChildProcess; output: () => string; port: number; closed: Promise<unknown> };

const directory = mkdtempSync(join(tmpdir(), 'users-api-start-'));
const running = new Set<ChildProcess>();
const startTimeout = 120_000;

afterAll(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function startProgram(
  environment: Record<string, string | undefined> = {},
  cwd = process.cwd(),
  how: [string, ...string[]] = [process.execPath, 'scripts/start.ts'],
): Promise<Started> {
  const port = Number(environment['PORT'] ?? (await findFreePort()));
  const env = {
    ...process.env,
    DATABASE_URL: '',
    PUBLIC_URL: '',
    LOCAL_DIRECTORY: directory,
    PORT: String(port),
    ...environment,
  };
  const [command, ...args] = how;
  // In a group of its own, as a terminal has it, which signals all of it.
  const child = spawn(command, args, { cwd, env, detached: true });
  running.add(child);
  // When its last process has closed its output, not the first.
  const closed = once(child, 'close').then(() => running.delete(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return { process: child, output: () => output, port, closed };
}

/** Waits until the program has printed the text; fails with all it printed when it ends before. */
async function untilPrinted({ process: child, output }: Started, text: string): Promise<void> {
  while (!output().includes(text)) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`ended before it printed "${text}":\n${output()}`);
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')]);
  }
}

async function stop({ process: child, closed }: Started, signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
  child.kill(signal);
  await closed;
}

async function untilExit({
  process: child,
  output,
  closed,
}: Started): Promise<{ code: number | null; output: string }> {
  await closed;
  // As shells tell it.
  const code = child.signalCode ? 128 + constants.signals[child.signalCode] : child.exitCode;
  return { code, output: output() };
}

/** The repository as it comes, but for the packages. */
function copyTo(name: string): string {
  const copy = join(directory, name);
  const left = ['node_modules', 'dist', '.git', '.local', '.serverless', 'coverage'];
  cpSync('.', copy, { recursive: true, filter: (source) => !left.includes(basename(source)) });
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** As a terminal does it: to each of its processes. */
const signalGroup = ({ process: { pid = 0 } }: Started, signal: NodeJS.Signals): boolean => process.kill(-pid, signal);

const childrenOf = ({ process: { pid } }: Started): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');

/** The status of an answer to a page of that origin, and what it tells the browser about origins. */
async function corsOf(
  url: string,
  { method, Origin }: { method: string; Origin: string },
): Promise<Record<string, string | number>> {
  const preflight = { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' };
  const headers = method === 'OPTIONS' ? { Origin, ...preflight } : { Origin, Authorization: `Token ${demoKey}` };
  const response = await fetch(url, { method, headers });
  await response.arrayBuffer();
  const told = [...response.headers].filter(([name]) => name.startsWith('access-control-'));
  return { status: response.status, ...Object.fromEntries(told) };
}

/** So that one test's failure is not the next one's. */
function killAll(): void {
  for (const { pid = 0 } of running) process.kill(-pid, 'SIGKILL');
}

// In this order: one program serves until it is stopped.
describe('npm start', { shuffle: false }, () => {
  let started: Started;
  let origin: string;
  const cutShort: Started[] = [];
  const authorization = { Authorization: `Token ${demoKey}` };

  beforeAll(async () => {
    const dataDir = join(directory, 'pgdata');
    const isThere = (path: string) => vi.waitUntil(() => existsSync(path), { timeout: startTimeout, interval: 5 });
    // A start that comes to its end marks it. Not these: their mark would be in a folder that is not there.
    const mark = join(directory, 'complete');
    symlinkSync(join(directory, 'none', 'complete'), mark);
    const moments: [moment: (start: Started) => Promise<unknown>, signal?: NodeJS.Signals][] = [
      [() => isThere(dataDir), 'SIGTERM'],
      [() => isThere(join(dataDir, 'PG_VERSION')), 'SIGKILL'],
      [({ closed }) => closed], // ends by itself, at the mark
    ];
    for (const [moment, signal] of moments) {
      const start = await startProgram();
      await moment(start);
      if (signal) await stop(start, signal);
      cutShort.push(start);
    }
    unlinkSync(mark);
    started = await startProgram();
    await untilPrinted(started, 'list-tokens keegan2255\n\n');
    origin = `http://localhost:${started.port}`;
  }, 3 * startTimeout);

  test('begins its first start again until one has come to its end', () => {
    const [atFolder, atFirstFile, atMark] = cutShort;
    const begin = 'Creating the embedded PostgreSQL, once; this takes some seconds …\n';
    const migrated = ['0001-tables', '0002-search', '0003-listing', '0004-functions', '0005-indexes']
      .map((name) => `migrated ${name}\n`)
      .join('');
    const prepared = `${begin}Migrating the schema and writing demo data …\n${migrated}wrote 68 demo users\n`;
    expect(atFolder?.output()).toMatch(begin);
    expect(atFolder?.process.signalCode).toBe('SIGTERM');
    expect(atFirstFile?.output()).toMatch(begin);
    expect(atMark?.output()).toMatch(`${prepared}Error: ENOENT`);
    expect(atMark?.process.exitCode).toBe(1);
    expect(started.output()).toMatch(`${prepared}Starting serverless-offline …\n`);
  });

  test('prints a curl line that works as printed', () => {
    const [line = ''] = started.output().match(/curl -H .*/) ?? [];
    const { stdout } = spawnSync('sh', ['-c', `${line} -s`], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({ count: 59, previous: null, results: [{ id: 68 }, { id: 67 }] });
  });

  test('serves the documented users, with links to itself', async () => {
    const response = await fetch(`${origin}/api/users/?id_max=2&limit=1`, { headers: authorization });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      count: 2,
      next: expect.stringMatching(new RegExp(`^${origin}/api/users/\\?after=[\\w-]+&id_max=2&limit=1&offset=1$`)),
      results: [{ id: 2, username: 'moratti120', is_online: true }],
    });
  });

  test.skipIf(process.platform !== 'linux')('listens on loopback alone, wherever it listens', () => {
    // The gateway, the emulated Lambda and the database.
    expect(listListening(started.process.pid as number)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  });

  test('prepares no statement in the embedded database, whose names all clients would share', async () => {
    expect((await fetch(`${origin}/api/users/`, { headers: authorization })).status).toBe(200);
    const db = openForOperators(started.output().match(/postgres:[^']*/)?.[0] ?? '');
    const { rows } = await sql`select name from pg_prepared_statements`.execute(db);
    await db.destroy();
    expect(rows).toEqual([]);
  });

  test("takes another site's cookies on localhost for what they are", async () => {
    const headers = { ...authorization, Cookie: 'theme="dark; a b=ü' };
    expect((await fetch(`${origin}/api/users/`, { headers })).status).toBe(200);
  });

  test.each([
    ['OPTIONS', 204],
    ['GET', 200],
  ])('lets no page of another origin read the answer to %s, as the gateway', async (method, status) => {
    expect(await corsOf(`${origin}/api/users/`, { method, Origin: 'https://a.example' })).toEqual({ status });
  });

  test('redirects once when the slash is missing', async () => {
    const response = await fetch(`${origin}/api/users?limit=1`, { headers: authorization });
    expect(response).toMatchObject({ status: 200, redirected: true, url: `${origin}/api/users/?limit=1` });
    const bare = await fetch(`${origin}/api/users?limit=1`, { redirect: 'manual' });
    expect(bare.status).toBe(301);
    expect(bare.headers.get('location')).toBe('/api/users/?limit=1');
  });

  test.each(['gzip', 'br', 'identity'])('answers with Content-Encoding %s what a client can read', async (encoding) => {
    const response = await fetch(`${origin}/api/users/?limit=50`, {
      headers: { ...authorization, 'Accept-Encoding': encoding },
    });
    expect(((await response.json()) as { results: unknown[] }).results).toHaveLength(50);
  });

  const smoke = async (...args: string[]) => {
    const child = spawn(process.execPath, ['scripts/smoke.ts', ...args], {
      env: { ...process.env, USERS_API_KEY: demoKey },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = await Promise.all([buffer(child.stdout), once(child, 'close')]);
    return output.toString();
  };
  const passed = /^(ok {4}.+\n){14}All 14 are as they should be\.\n$/;

  test('passes npm run smoke, pages and the build of this checkout included', async () => {
    expect(await smoke(origin)).toMatch(passed);
    expect((await fetch(`${origin}/api/docs/`)).status).toBe(200);
  });

  const hasRequests = spawnSync('python3', ['-c', 'import requests']).status === 0;
  test.skipIf(!hasRequests)("runs the documentation's Python example, but for the host", () => {
    const example = `
import requests
api = requests.Session()
api.headers.update({'Authorization': 'Token ${demoKey}'})
response = api.get('${origin}/api/users/', params={
  'limit': 5,
  'is_active': True,
  'ordering': 'username'
})
import json
print(json.dumps(response.json()))`;
    const { stdout, stderr } = spawnSync('python3', ['-c', example], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const { results } = JSON.parse(stdout) as { results: { username: string; is_active: boolean }[] };
    expect(results).toHaveLength(5);
    expect(results.every(({ is_active }) => is_active)).toBe(true);
    expect(results[0]?.username).toBe('alex10');
  });

  test('shows a request as one line of JSON, and nothing besides', async () => {
    const before = started.output().length;
    const printed = () => started.output().slice(before);
    for (const query of ['limit=1', 'limit=none', 'limit=2']) {
      await fetch(`${origin}/api/users/?${query}`, { headers: authorization });
    }
    await expect.poll(printed).toMatch(/"rows":2.*\n$/);
    const lines = printed().trimEnd().split('\n');
    // The line of an earlier test may come late, before ours.
    expect(lines.map((line) => JSON.parse(line)).slice(-3)).toMatchObject([
      { requestId: expect.any(String), status: 200, callerId: 1, count: 59, rows: 1 },
      { requestId: expect.any(String), status: 400 },
      { requestId: expect.any(String), status: 200, callerId: 1, count: 59, rows: 2 },
    ]);
  });

  test('prints a line by which commands reach its database, which works as printed', () => {
    const [line = ''] = started.output().match(/DATABASE_URL=.*/) ?? [];
    expect(line).toMatch(/^DATABASE_URL='.*' npm run manage -- list-tokens keegan2255$/);
    const { stdout } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
    expect(stdout).toMatch(/hash {6}created \(UTC\) {5}expires \(UTC\) .*\n[0-9a-f]{8} .* never .*\n/);
  });

  test('refuses a second start on the same data', async () => {
    const { code, output } = await untilExit(await startProgram());
    expect(output).toBe(
      `${directory} is in use by process ${started.process.pid}. Stop it, or set LOCAL_DIRECTORY to another folder.\n`,
    );
    expect(code).toBe(1);
  });

  describe('once Ctrl-C was pressed', () => {
    beforeAll(() => stop(started), startTimeout);
    afterEach(killAll);

    test('has ended and freed its port', async () => {
      expect(await untilExit(started)).toMatchObject({ code: 0 });
      expect(await isFreePort(started.port)).toBe(true);
    });

    test('starts on the data that are there, and after a hard kill', { timeout: 2 * startTimeout }, async () => {
      const killed = await startProgram({
        PAGES: 'off',
        CORS_ORIGINS: 'https://a.example, https://b.example',
        CORS_CREDENTIALS: 'on',
      });
      await untilPrinted(killed, 'list-tokens keegan2255\n\n');
      expect(killed.output()).toContain('the schema is up to date\n');
      expect(killed.output()).toContain('nothing written\n');
      expect(killed.output()).not.toMatch(/console|docs|browser/);
      expect((await fetch(`http://localhost:${killed.port}/api/docs/`)).status).toBe(404);
      const answerTo = (method: string, Origin: string) =>
        corsOf(`http://localhost:${killed.port}/api/users/`, { method, Origin });
      const ours = { 'access-control-allow-origin': 'https://b.example', 'access-control-allow-credentials': 'true' };
      const preflight = await answerTo('OPTIONS', 'https://b.example');
      expect(preflight).toMatchObject({ status: 204, ...ours, 'access-control-allow-methods': 'GET,HEAD,OPTIONS' });
      expect(preflight['access-control-allow-headers']).toMatch(/^accept,authorization,.*x-csrftoken/);
      const answer = await answerTo('GET', 'https://b.example');
      expect(answer).toMatchObject({ status: 200, ...ours });
      expect(answer['access-control-expose-headers']).toMatch(/^link,.*x-ignored-parameters/);
      expect(await answerTo('OPTIONS', 'https://c.example')).toEqual({ status: 204 });
      expect(await answerTo('GET', 'https://c.example')).toEqual({ status: 200 });
      expect(await smoke(`http://localhost:${killed.port}`, '--origin', 'https://b.example')).toMatch(passed);
      killed.process.kill('SIGKILL');
      await untilExit(killed);

      // Another process has the number of the one that was killed.
      writeFileSync(join(directory, 'owner'), String(process.pid));
      const again = await startProgram({ PORT: String(killed.port) });
      await untilPrinted(again, 'Ready at');
      expect(again.output()).toContain('nothing written\n');
      // As when the terminal is closed.
      for (const stream of [again.process.stdout, again.process.stderr]) stream?.destroy();
      signalGroup(again, 'SIGHUP');
      expect(await untilExit(again)).toMatchObject({ code: 129 });
      expect(await isFreePort(again.port)).toBe(true);
    });

    test('ends on Ctrl-C, pressed twice, before it serves', { timeout: startTimeout }, async () => {
      const interrupted = await startProgram();
      await untilPrinted(interrupted, 'Starting serverless-offline');
      signalGroup(interrupted, 'SIGINT');
      signalGroup(interrupted, 'SIGINT');
      expect(await untilExit(interrupted)).toMatchObject({ code: 130 });
    });

    test('ends with npm', { timeout: startTimeout }, async () => {
      const ofNpm = await startProgram({}, undefined, ['npm', 'start']);
      await untilPrinted(ofNpm, 'Ready at');
      ofNpm.process.kill('SIGTERM');
      await untilExit(ofNpm); // of the last process that holds its output
      expect(await isFreePort(ofNpm.port)).toBe(true);
    });
  });
});

describe('npm start with DATABASE_URL', () => {
  let database: TestDatabase;
  let given: Record<string, string>;

  beforeAll(async () => {
    database = await openTestDatabase();
    // One connection stands behind all clients of PGlite.
    given = { DATABASE_URL: database.url, DATABASE_NAMED_STATEMENTS: 'off' };
  });
  afterEach(killAll);

  const run = (text: string) => sql.raw(text).execute(database.db);
  const empty = async () => void (await run('truncate users, groups restart identity cascade'));

  /** The rows of each table that demo data would be in. */
  async function countRows(): Promise<number[]> {
    const tables = ['users', 'groups', 'user_groups', 'group_permissions', 'auth_tokens', 'user_presence'];
    const { rows } = await sql<{ counts: number[] }>`
      select array[${sql.join(tables.map((table) => sql`(select count(*)::int from ${sql.table(table)})`))}] as counts`.execute(
      database.db,
    );
    return rows[0]?.counts ?? [];
  }
  const none = [0, 0, 0, 0, 0, 0];

  test('builds what it runs, migrates the database, and writes nothing into it', {
    timeout: startTimeout,
  }, async () => {
    await run('drop schema public cascade');
    await run('create schema public');
    const started = await startProgram(given, copyTo('fresh'));
    await untilPrinted(started, '<username>\n');
    const origin = `http://localhost:${started.port}`;
    expect(started.output()).toBe(`migrated 0001-tables
migrated 0002-search
migrated 0003-listing
migrated 0004-functions
migrated 0005-indexes
Starting serverless-offline …

Ready at ${origin}/api/users/ — Ctrl-C stops it.
In a browser: ${origin}/api/console/ shows the users, ${origin}/api/docs/ the API.
In a terminal:

  curl -H 'Authorization: Token <key>' '${origin}/api/users/?limit=2'

For a key: npm run manage -- issue-token <username>
`);
    const response = await fetch(`${origin}/api/users/`, { headers: { authorization: `Token ${demoKey}` } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ detail: 'Invalid token.' });
    expect((await fetch(`${origin}/api/console/`)).status).toBe(200);
    expect(await countRows()).toEqual(none);
    signalGroup(started, 'SIGINT'); // Ctrl-C
    await untilExit(started);
    expect(await isFreePort(started.port)).toBe(true);
  });

  // Empty, or with users that are no demo.
  test.each<[signal: NodeJS.Signals, status: number, written: number[], write: () => Promise<unknown>]>([
    ['SIGINT', 130, none, async () => {}],
    ['SIGTERM', 143, [8, 4, 6, 1, 9, 3], () => writePeople(database.db)],
    ['SIGHUP', 129, [1, 0, 0, 0, 0, 0], () => runCommand(database.db, ['create-user', 'ann'])],
  ])(
    'ends on %s before it serves, with the status %i, and has written nothing',
    {
      timeout: startTimeout,
    },
    async (signal, status, written, write) => {
      await empty();
      await write();
      const started = await startProgram(given);
      await untilPrinted(started, 'Starting serverless-offline');
      started.process.kill(signal);
      expect(await untilExit(started)).toEqual({
        code: status,
        output: 'the schema is up to date\nStarting serverless-offline …\n',
      });
      expect(await isFreePort(started.port)).toBe(true);
      expect(await countRows()).toEqual(written);
    },
  );

  test('leaves no emulator behind when it is killed before it serves', { timeout: startTimeout }, async () => {
    const started = await startProgram(given);
    await untilPrinted(started, 'Starting serverless-offline');
    // Once the emulator is there, and long before it has loaded what sees to its parent.
    await vi.waitFor(() => expect(childrenOf(started)).not.toBe(''), { timeout: startTimeout, interval: 1 });
    started.process.kill('SIGKILL');
    await untilExit(started); // of the last process that holds its output
    expect(started.output()).toMatch(/^the schema is up to date\nStarting serverless-offline …\n$/);
  });

  test('ends with npm, when Ctrl-C is pressed', { timeout: startTimeout }, async () => {
    const started = await startProgram(given, undefined, ['npm', 'start']);
    await untilPrinted(started, 'Ready at');
    signalGroup(started, 'SIGINT');
    await untilExit(started);
    expect(await isFreePort(started.port)).toBe(true);
  });

  test('ends with the status of a build that fails, and says why', { timeout: startTimeout }, async () => {
    const broken = copyTo('broken');
    writeFileSync(join(broken, 'handlers/users.ts'), 'export const handler = ;\n');
    const { code, output } = await untilExit(await startProgram(given, broken));
    expect(code).toBe(1);
    expect(output).toContain('Unexpected ";"');
    expect(output).not.toContain('Ready at');
  });

  test('ends when its port is taken meanwhile, and names it', { timeout: startTimeout }, async () => {
    const started = await startProgram(given);
    await untilPrinted(started, 'Starting serverless-offline');
    const other = createServer((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'));
    await once(other.listen(started.port, '127.0.0.1'), 'listening');
    const { code, output } = await untilExit(started);
    other.close();
    expect(code).toBe(1);
    expect(output).toContain(`on port ${started.port}`);
    expect(output).not.toContain('Ready at');
  });
});

test('npm start says in one line that a port is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { code, output } = await untilExit(await startProgram({ PORT: String(port) }));
  other.close();
  expect(output).toBe(`Port ${port} is taken. Stop what uses it, or set PORT to another one.\n`);
  expect(code).toBe(1);
});

test('npm start says in one line which setting is bad', async () => {
  const { code, output } = await untilExit(await startProgram({ ONLINE_WINDOW_SECONDS: 'soon' }));
  expect(output).toBe('Bad settings: ONLINE_WINDOW_SECONDS must be a whole number from 1 to 31536000.\n');
  expect(code).toBe(1);
});

test('npm start says in one line that the database of DATABASE_URL does not answer', async () => {
  const port = await findFreePort();
  const { code, output } = await untilExit(
    await startProgram({ DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/none` }),
  );
  expect(output).toBe(`The database could not be prepared: connect ECONNREFUSED 127.0.0.1:${port}\n`);
  expect(code).toBe(1);
});

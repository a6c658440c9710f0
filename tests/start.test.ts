import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { demoKey } from '../manage/demo.ts';
import { findFreePort, isFreePort } from '../scripts/servers/free-port.ts';

/** `npm start` without npm, which the tests would have to signal through. */
type Started = { process: ChildProcess; output: () => string; port: number; closed: Promise<unknown> };

const directory = mkdtempSync(join(tmpdir(), 'users-api-start-'));
const running = new Set<ChildProcess>();
const startTimeout = 60_000;

afterAll(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function start(
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
  const left = ['node_modules', 'dist', '.git', '.local', '.serverless', 'coverage'].map((name) => resolve(name));
  cpSync('.', copy, { recursive: true, filter: (source) => !left.includes(resolve(source)) });
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  return copy;
}

test(
  'npm start builds what it runs, where nothing was built before',
  async () => {
    const fresh = copyTo('fresh');
    const started = await start({ LOCAL_DIRECTORY: join(fresh, '.local') }, fresh);
    await untilPrinted(started, 'Ready at');
    const response = await fetch(`http://localhost:${started.port}/api/users/?limit=1`, {
      headers: { authorization: `Token ${demoKey}` },
    });
    expect(await response.json()).toMatchObject({ results: [{ id: expect.any(Number) }] });
    await stop(started);
  },
  startTimeout,
);

describe('npm start', () => {
  let started: Started;
  let origin: string;
  const authorization = { Authorization: `Token ${demoKey}` };

  beforeAll(async () => {
    // The first of all first starts is killed in the middle, so every test below runs on the repaired one.
    const killed = await start();
    await untilPrinted(killed, 'Migrating the schema');
    await stop(killed, 'SIGKILL');

    started = await start();
    await untilPrinted(started, 'list-tokens keegan2255\n\n');
    origin = `http://localhost:${started.port}`;
  }, startTimeout);

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
    expect(stdout).toMatch(/hash {6}created \(UTC\) {5}expires \(UTC\)\n[0-9a-f]{8} .* never\n/);
  });

  test('refuses a second start on the same data', async () => {
    const { code, output } = await untilExit(await start());
    expect(output).toBe(
      `${directory} is in use by process ${started.process.pid}. Stop it, or set LOCAL_DIRECTORY to another folder.\n`,
    );
    expect(code).toBe(1);
  });

  test('ends on Ctrl-C, frees the port, and keeps the data for the next start', { timeout: startTimeout }, async () => {
    await stop(started);
    expect(await isFreePort(started.port)).toBe(true);
    const again = await start();
    await untilPrinted(again, 'Ready at');
    expect(again.output()).toContain('the schema is up to date');
    expect(again.output()).toContain('nothing written');
    await stop(again);
  });
});

/** As a terminal does it: to each of its processes. */
const signalGroup = ({ process: { pid = 0 } }: Started, signal: NodeJS.Signals): boolean => process.kill(-pid, signal);

/** So that one test's failure is not the next one's. */
function killAll(): void {
  for (const { pid = 0 } of running) process.kill(-pid, 'SIGKILL');
}

describe('npm start ends', () => {
  afterEach(killAll);

  test.each<[signal: NodeJS.Signals, status: number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])('on %s before it serves, with the status %i', { timeout: startTimeout }, async (signal, status) => {
    const started = await start();
    await untilPrinted(started, 'Starting serverless-offline');
    started.process.kill(signal);
    expect(await untilExit(started)).toMatchObject({ code: status });
    expect(await isFreePort(started.port)).toBe(true);
  });

  test('on Ctrl-C, pressed twice, before it serves', { timeout: startTimeout }, async () => {
    const started = await start();
    await untilPrinted(started, 'Starting serverless-offline');
    signalGroup(started, 'SIGINT');
    signalGroup(started, 'SIGINT');
    expect(await untilExit(started)).toMatchObject({ code: 130 });
  });

  test('when the terminal is closed', { timeout: startTimeout }, async () => {
    const started = await start();
    await untilPrinted(started, 'Ready at');
    for (const stream of [started.process.stdout, started.process.stderr]) stream?.destroy();
    signalGroup(started, 'SIGHUP');
    expect(await untilExit(started)).toMatchObject({ code: 129 });
    expect(await isFreePort(started.port)).toBe(true);
  });

  test.each<[what: string, signal: (started: Started) => void]>([
    ['SIGTERM to npm', ({ process }) => process.kill('SIGTERM')],
    ['Ctrl-C', (started) => signalGroup(started, 'SIGINT')],
  ])('with all its processes, on %s', { timeout: startTimeout }, async (_, signal) => {
    const started = await start({}, undefined, ['npm', 'start']);
    await untilPrinted(started, 'Ready at');
    signal(started);
    await untilExit(started); // of the last process that holds its output
    expect(await isFreePort(started.port)).toBe(true);
  });

  test('with the status of a build that fails, and says why', { timeout: startTimeout }, async () => {
    const broken = copyTo('broken');
    writeFileSync(join(broken, 'handlers/users.ts'), 'export const handler = ;\n');
    const { code, output } = await untilExit(await start({}, broken));
    expect(code).toBe(1);
    expect(output).toContain('Unexpected ";"');
    expect(output).not.toContain('Ready at');
  });

  test('when its port is taken meanwhile, and names it', { timeout: startTimeout }, async () => {
    const started = await start();
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

describe('npm start starts', () => {
  afterEach(killAll);

  test('after a hard kill while it served, on the same port, with the same data', {
    timeout: startTimeout,
  }, async () => {
    const killed = await start();
    await untilPrinted(killed, 'Ready at');
    killed.process.kill('SIGKILL');
    await untilExit(killed);
    const again = await start({ PORT: String(killed.port) });
    await untilPrinted(again, 'Ready at');
    expect(again.output()).toContain('nothing written');
    await stop(again);
  });

  test('with PAGES=off, and tells of no pages', { timeout: startTimeout }, async () => {
    const started = await start({ PAGES: 'off' });
    await untilPrinted(started, 'limit=2');
    expect(started.output()).not.toMatch(/console|docs|browser/);
    const response = await fetch(`http://localhost:${started.port}/api/docs/`);
    expect(response.status).toBe(404);
    await stop(started);
  });

  test('whatever process has the number of one that was killed', { timeout: startTimeout }, async () => {
    writeFileSync(join(directory, 'owner'), String(process.pid));
    const started = await start();
    await untilPrinted(started, 'Ready at');
    await stop(started);
  });

  test('after a signal in the middle of the first start', { timeout: startTimeout }, async () => {
    const LOCAL_DIRECTORY = join(directory, 'interrupted');
    for (const text of ['Creating the embedded PostgreSQL', 'Migrating the schema']) {
      const interrupted = await start({ LOCAL_DIRECTORY });
      await untilPrinted(interrupted, text);
      await stop(interrupted, 'SIGTERM');
      expect(interrupted.process.signalCode).toBe('SIGTERM');
    }
    const started = await start({ LOCAL_DIRECTORY });
    await untilPrinted(started, 'Ready at');
    expect(started.output()).toContain('wrote 68 demo users');
    await stop(started);
  });
});

test('npm start says in one line that a port is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { code, output } = await untilExit(await start({ PORT: String(port) }));
  other.close();
  expect(output).toBe(`Port ${port} is taken. Stop what uses it, or set PORT to another one.\n`);
  expect(code).toBe(1);
});

test('npm start says in one line which setting is bad', async () => {
  const { code, output } = await untilExit(await start({ ONLINE_WINDOW_SECONDS: 'soon' }));
  expect(output).toBe('Bad settings: ONLINE_WINDOW_SECONDS must be a whole number from 1 to 31536000.\n');
  expect(code).toBe(1);
});

test('npm start says in one line that the database of DATABASE_URL does not answer', async () => {
  const port = await findFreePort();
  const { code, output } = await untilExit(await start({ DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/none` }));
  expect(output).toBe(`The database could not be prepared: connect ECONNREFUSED 127.0.0.1:${port}\n`);
  expect(code).toBe(1);
});

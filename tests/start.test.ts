import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { demoKey } from '../manage/demo.ts';
import { findFreePort, isFreePort } from '../scripts/servers/free-port.ts';

/** `npm start` without npm, which the tests would have to signal through. */
type Started = { process: ChildProcess; output: () => string; port: number };

const directory = mkdtempSync(join(tmpdir(), 'users-api-start-'));
const running = new Set<ChildProcess>();
const startTimeout = 60_000;

afterAll(() => {
  for (const process of running) process.kill('SIGINT');
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function start(environment: Record<string, string | undefined> = {}, cwd = process.cwd()): Promise<Started> {
  const port = Number(environment['PORT'] ?? (await findFreePort()));
  const env = {
    ...process.env,
    DATABASE_URL: '',
    PUBLIC_URL: '',
    LOCAL_DIRECTORY: directory,
    PORT: String(port),
    ...environment,
  };
  const child = spawn(process.execPath, ['scripts/start.ts'], { cwd, env });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return { process: child, output: () => output, port };
}

/** Waits until the program has printed the text; fails with all it printed when it ends before. */
async function untilPrinted({ process: child, output }: Started, text: string): Promise<void> {
  while (!output().includes(text)) {
    if (child.exitCode !== null) throw new Error(`ended before it printed "${text}":\n${output()}`);
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')]);
  }
}

async function stop({ process: child }: Started, signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function untilExit({ process: child, output }: Started): Promise<{ code: number | null; output: string }> {
  if (child.exitCode === null) await once(child, 'close');
  return { code: child.exitCode, output: output() };
}

test(
  'npm start builds what it runs, where nothing was built before',
  async () => {
    const fresh = join(directory, 'fresh');
    const left = ['node_modules', 'dist', '.git', '.local', '.serverless', 'coverage'].map((name) => resolve(name));
    cpSync('.', fresh, { recursive: true, filter: (source) => !left.includes(resolve(source)) });
    symlinkSync(resolve('node_modules'), join(fresh, 'node_modules'));
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
    await untilPrinted(started, "limit=2'\n");
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

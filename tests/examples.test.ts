import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpServer, startUsersServer } from './setup/http-server.ts';
import { keys } from './setup/people.ts';

/** `npm ci --prefix examples` brings them: a client's package has dependencies of its own. */
const hasPackages = existsSync('examples/node_modules');
const hasRequests = spawnSync('python3', ['-c', 'import requests']).status === 0;

const bin = (name: string, ...args: string[]) =>
  spawnSync(join('node_modules/.bin', name), args, { cwd: 'examples', encoding: 'utf8' });

describe.skipIf(!hasPackages)('the typed client', () => {
  test('has the types of the document', () => {
    const folder = mkdtempSync(join(tmpdir(), 'users-api-types-'));
    const { status, stderr } = bin('openapi-typescript', '../openapi.json', '--output', join(folder, 'api.d.ts'));
    expect(status, stderr).toBe(0);
    expect(readFileSync('examples/api.d.ts', 'utf8')).toBe(readFileSync(join(folder, 'api.d.ts'), 'utf8'));
    rmSync(folder, { recursive: true });
  });

  test('compiles', { timeout: 60_000 }, () => {
    const { status, stdout } = bin('tsc', '-p', '.');
    expect(status, stdout).toBe(0);
  });
});

describe('over HTTP', () => {
  let server: HttpServer;

  beforeAll(async () => {
    server = await startUsersServer();
  });
  afterAll(() => server.stop());

  /** Not spawnSync: the server answers in this process. */
  async function run(program: string, file: string, args: string[], environment: object = {}): Promise<string> {
    const child = spawn(program, [file, ...args], {
      cwd: 'examples',
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    return output;
  }

  const lastToLogIn = ['eve', 'ann', 'cat', 'dan'];
  const namesOf = (output: string) =>
    output
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]);

  describe.each([
    ['the typed client', process.execPath, 'list-users.ts', hasPackages, 'npm ci --prefix examples'],
    ['the Python client', 'python3', 'list_users.py', hasRequests, 'Python and its requests'],
  ])('%s walks all pages', (_, program, file, isInstalled, needed) => {
    test('of the host and with the key of its arguments', async ({ skip }) => {
      skip(!isInstalled, `needs ${needed}`);
      expect(namesOf(await run(program, file, [server.url, keys.ann]))).toEqual(lastToLogIn);
    });

    test('of the host and with the key of its environment', async ({ skip }) => {
      skip(!isInstalled, `needs ${needed}`);
      const environment = { USERS_API_URL: server.url, USERS_API_KEY: keys.ann };
      expect(namesOf(await run(program, file, [], environment))).toEqual(lastToLogIn);
    });
  });
});

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { listUsers } from './setup/described.ts';
import { type HttpServer, startUsersServer } from './setup/http-server.ts';
import { keys } from './setup/people.ts';
import { requestsOfAllKinds, statusOf } from './setup/sent-requests.ts';

/** They are a package of their own, which most work can do without. */
const hasPackages = existsSync('clients/node_modules');

const run = (command: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: 'clients', encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

/** What Prism found, in a header of the answer. */
type Violation = { location: string[]; message: string };

/** Those of `clients/package.json`, and of its `walks/`. */
const generators = ['openapi-typescript', 'hey-api', 'orval', 'swagger-typescript-api'];

describe.skipIf(!hasPackages)('with the packages of npm ci --prefix clients', () => {
  let server: HttpServer;

  beforeAll(async () => {
    server = await startUsersServer();
  });
  afterAll(() => server.stop());

  test('Spectral has nothing to say of the document', () => {
    expect(run('npm', 'run', '--silent', 'lint')).toMatchObject({ status: 0 });
  });

  describe('the client of', () => {
    beforeAll(() => {
      rmSync('clients/generated', { recursive: true, force: true });
      for (const name of generators) {
        const { status, output } = run('npm', 'run', '--silent', `generate:${name}`);
        expect(status, output).toBe(0);
      }
    });

    test('each generator compiles strictly, and so do the walks by its types', () => {
      expect(run('../node_modules/.bin/tsc', '-p', '.')).toEqual({ status: 0, output: '' });
    });

    describe.each(generators)('%s', (name) => {
      async function load() {
        const [{ walk }, { toReader }] = await Promise.all(
          ['walk', name].map((file) => import(`../clients/walks/${file}.ts`)),
        );
        return { walk, readPage: toReader({ baseUrl: server.url, key: keys.ann }) };
      }

      test('walks all pages of a filter and a list in two orderings', async () => {
        const { walk, readPage } = await load();
        expect(await walk(readPage)).toEqual(['eve', 'ann', 'cat', 'dan']);
      });

      test('reads the problem of a query that is refused', async () => {
        const { readPage } = await load();
        await expect(readPage({ limit: 0 })).rejects.toThrow('limit: Expected a whole number, at least 1.');
      });
    });
  });

  describe('Prism, as a proxy that validates', () => {
    let prism: ChildProcess;
    let url: string;

    beforeAll(async () => {
      const port = await findFreePort();
      url = `http://127.0.0.1:${port}`;
      const file = 'node_modules/@stoplight/prism-cli/dist/index.js';
      const args = [file, 'proxy', '../openapi.json', server.url, '--port', String(port)];
      prism = spawn(process.execPath, args, { cwd: 'clients', stdio: ['ignore', 'pipe', 'inherit'] });
      for await (const line of createInterface({ input: prism.stdout as NodeJS.ReadableStream })) {
        if (line.includes('listening')) break;
      }
      prism.stdout?.resume();
    });
    afterAll(async () => {
      prism.kill();
      await once(prism, 'exit');
    });

    test('finds every answer as the document says', async () => {
      const all = requestsOfAllKinds(listUsers.parameters, 400);
      const sent = all.filter(({ method, path, headers }) => {
        return method === 'GET' && path === '/api/users/' && headers.accept !== 'text/csv';
      });
      const seen = new Set<number>();
      for (const request of sent) {
        const { path, query, headers } = request;
        const answer = await fetch(`${url}${path}?${query}`, { headers });
        await answer.arrayBuffer();
        const violations: Violation[] = JSON.parse(answer.headers.get('sl-violations') ?? '[]');
        const what = `${query} (${JSON.stringify(headers)})`;
        expect(
          violations.filter(({ location }) => location[0] === 'response'),
          what,
        ).toEqual([]);
        if (query.includes('__proto__')) continue; // Prism sends it not
        expect(answer.status, what).toBe(statusOf(request));
        // Of `is_active=1` as well: the schema of a boolean cannot say that it is one.
        if (answer.status === 200)
          expect(
            violations.filter(({ message }) => !message.endsWith('must be boolean')),
            what,
          ).toEqual([]);
        seen.add(answer.status);
      }
      expect([...seen].sort()).toEqual([200, 400, 401, 403, 406]);
    });
  });
});

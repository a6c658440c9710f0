import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import type { PostgresServer } from '../scripts/servers/postgres-server.ts';
import { loadHandler, type Received, send } from './setup/request.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

const unavailable = 'The database cannot be reached at the moment. Try again in a few seconds.';

/** Within which a client hears of a database that is down, with all that a busy machine adds. */
const promisedMs = 5000;

describe.skipIf(!canStartServer)('when the database fails', () => {
  let server: PostgresServer;
  let handler: Handler;

  beforeAll(async () => {
    server = await startTestServer({ max_connections: 13, superuser_reserved_connections: 3 });
    await query('create role api login', 'grant pg_read_all_data to api');
    return () => server.remove();
  });

  beforeEach(async () => {
    handler = await load();
    await expectList(send(handler));
  });

  afterEach(() => query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'users-api'`));

  const load = (environment: Record<string, string> = {}, url = urlWith(server.url, { username: 'api' })) =>
    loadHandler(url, { DATABASE_NAMED_STATEMENTS: 'on', ...environment });

  /** As the superuser, on a connection of its own. */
  async function query(...statements: string[]): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      let rows = [];
      for (const statement of statements) ({ rows } = await client.query(statement));
      return rows;
    } finally {
      await client.end();
    }
  }

  /** The server's processes that serve handlers. */
  async function backends(): Promise<number[]> {
    const rows = await query(`select pid from pg_stat_activity where application_name = 'users-api' order by pid`);
    return rows.map(({ pid }) => Number(pid));
  }

  /** Until the handler's statement waits for the lock, in a process of the server other than `before`. */
  async function untilWaiting(before = 0): Promise<number> {
    const waiting = `select pid from pg_stat_activity
      where application_name = 'users-api' and wait_event_type = 'Lock' and pid <> ${before}`;
    for (;;) {
      const [row] = await query(waiting);
      if (row) return Number(row['pid']);
      await sleep(10);
    }
  }

  const kill = (pid: number | undefined) => query(`select pg_terminate_backend(${pid})`);

  /** Keeps everybody else from reading a table: the caller's is read by authentication, `user_presence` by the list alone. */
  async function lock(table: 'auth_tokens' | 'user_presence'): Promise<{ release: () => Promise<void> }> {
    const client = new pg.Client({ connectionString: server.url });
    client.on('error', () => {}); // of a server that goes down
    await client.connect();
    await client.query('begin');
    await client.query(`lock table ${table}`);
    let released: Promise<void> | undefined;
    const release = () => {
      released ??= client.end();
      return released;
    };
    onTestFinished(release);
    return { release };
  }

  async function expectList(answer: Promise<Received>): Promise<void> {
    const { status, text, json } = await answer;
    expect(status, text).toBe(200);
    expect(json().results.map(({ id }) => id)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  }

  async function expectUnavailable(answer: Promise<Received>, detail = unavailable): Promise<void> {
    const start = performance.now();
    const { status, headers, text, problem } = await answer;
    expect(performance.now() - start).toBeLessThan(promisedMs);
    expect(status, text).toBe(503);
    expect(headers['Retry-After']).toBe('5');
    expect(problem().detail).toBe(detail);
  }

  /** What the handler logs as an error from here on. */
  function errorsLogged(): unknown[] {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    return log.mock.calls as unknown[];
  }

  test('a connection killed between two requests is replaced', async () => {
    const [pid] = await backends();
    await kill(pid);
    await expectList(send(handler));
  });

  test('a connection killed while the process slept is replaced, before the process hears of it', async () => {
    const [pid] = await backends();
    // The event loop stands still meanwhile, as in a frozen instance; the news waits in the socket.
    const script = `import pg from 'pg'; const c = new pg.Client(process.env.URL); await c.connect();
      await c.query('select pg_terminate_backend($1::int)', [process.env.PID]); await c.end();`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { URL: server.url, PID: String(pid) },
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    await expectList(send(handler));
    expect(await backends()).not.toContain(pid);
  });

  test.each(['auth_tokens', 'user_presence'] as const)(
    'a connection killed while it reads %s is replaced, and the statement sent again',
    async (table) => {
      const { release } = await lock(table);
      const answer = send(handler);
      await kill(await untilWaiting());
      await release();
      await expectList(answer);
    },
  );

  test.each(['auth_tokens', 'user_presence'] as const)(
    'two connections killed in a row while they read %s are a 503, and no third is tried',
    async (table) => {
      const { release } = await lock(table);
      const answer = send(handler);
      const first = await untilWaiting();
      await kill(first);
      await kill(await untilWaiting(first));
      await expectUnavailable(answer);
      await release();
      await expectList(send(handler));
    },
  );

  test.each(['fast', 'immediate'] as const)(
    'a server restarted (%s) between two requests goes unnoticed',
    async (mode) => {
      await server.stop(mode);
      await server.start();
      await expectList(send(handler));
    },
  );

  test('while the server is down, requests are 503; the first one after its return is answered', async () => {
    await server.stop();
    onTestFinished(() => server.start());
    for (let attempt = 0; attempt < 3; attempt += 1) await expectUnavailable(send(handler));
    await server.start();
    await expectList(send(handler));
  });

  test('a server that goes down during a request is a 503', async () => {
    await lock('user_presence');
    const answer = send(handler);
    await untilWaiting();
    await server.stop('immediate');
    await expectUnavailable(answer);
    await server.start();
    await expectList(send(handler));
  });

  test('a server stopped in its tracks is a 503 on an old connection and on a new one; then all goes on', async () => {
    handler = await load({ QUERY_TIMEOUT_MS: '1000' });
    const fresh = await load();
    await expectList(send(handler));
    server.signal('SIGSTOP');
    onTestFinished(() => server.signal('SIGCONT'));
    await expectUnavailable(send(handler));
    await expectUnavailable(send(handler));
    await expectUnavailable(send(fresh));
    server.signal('SIGCONT');
    await expectList(send(handler));
    await expectList(send(fresh));
  });

  describe('behind a network that forgets connections', () => {
    /** A proxy before the server; what it has forgotten goes nowhere, and nobody is told. */
    async function startProxy() {
      const links: [Socket, Socket][] = [];
      const proxy = createServer((client) => {
        const upstream = connect(server.port, '127.0.0.1');
        client.on('error', () => {}).pipe(upstream);
        upstream.on('error', () => {}).pipe(client);
        links.push([client, upstream]);
      }).listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      onTestFinished(() => {
        for (const socket of links.flat()) socket.destroy();
        proxy.close();
      });
      const forget = () => {
        for (const [client, upstream] of links) {
          client.unpipe().resume();
          upstream.unpipe().resume();
        }
      };
      const { port } = proxy.address() as { port: number };
      return { url: urlWith(server.url, { username: 'api', port }), forget };
    }

    test('an instance that was frozen for minutes opens a connection of its own accord', async () => {
      const { url, forget } = await startProxy();
      const frozen = await load({}, url);
      await expectList(send(frozen));
      forget();
      const now = Date.now();
      const clock = vi.spyOn(Date, 'now').mockImplementation(() => now + 241_000);
      onTestFinished(() => clock.mockRestore());
      await expectList(send(frozen));
    });

    test('a connection forgotten sooner is a 503 within the time limit, and is replaced by the next request', async () => {
      const { url, forget } = await startProxy();
      const frozen = await load({ QUERY_TIMEOUT_MS: '500' }, url);
      await expectList(send(frozen));
      forget();
      await expectUnavailable(send(frozen));
      await expectList(send(frozen));
    });
  });

  test('out of connections is a 503 that says so in the log; a free one is taken at once', async () => {
    const connectionString = urlWith(server.url, { username: 'api' });
    const idle: pg.Client[] = [];
    onTestFinished(async () => void (await Promise.all(idle.map((client) => client.end()))));
    for (let open = 1; open < 10; open += 1) {
      const client = new pg.Client({ connectionString });
      await client.connect();
      idle.push(client);
    }
    const late = await load();
    const logged = errorsLogged();
    await expectUnavailable(send(late));
    expect(logged).toMatchObject([[{ status: 503, error: { code: '53300', advice: /out of connections/ } }]]);
    await idle.pop()?.end();
    await expectList(send(late));
  });

  describe('a statement over its time limit', () => {
    const tooLong = 'The query took longer than it may. Use fewer, longer or rarer words in `search`.';

    test('is a 503 that says what to narrow; the busy connection is replaced', async () => {
      handler = await load({ QUERY_TIMEOUT_MS: '300' });
      await expectList(send(handler));
      const { release } = await lock('user_presence');
      await expectUnavailable(send(handler, { query: 'search=a' }), tooLong);
      await release();
      await expectList(send(handler));
    });

    test('of the server is a 503 as well; the connection is kept', async () => {
      await query(`alter role api set statement_timeout = '300ms'`);
      onTestFinished(async () => void (await query('alter role api reset statement_timeout')));
      handler = await load();
      await expectList(send(handler));
      const before = await backends();
      const logged = errorsLogged();
      const { release } = await lock('user_presence');
      await expectUnavailable(send(handler, { query: 'search=a' }), tooLong);
      expect(logged).toMatchObject([[{ status: 503, error: { code: '57014', advice: /statement_timeout/ } }]]);
      await release();
      await expectList(send(handler));
      expect(await backends()).toEqual(before);
    });

    test('of authentication is a database that cannot be reached', async () => {
      handler = await load({ QUERY_TIMEOUT_MS: '300' });
      await lock('auth_tokens');
      await expectUnavailable(send(handler));
    });
  });

  test('a migration that changes the result of a prepared statement goes unnoticed', async () => {
    await query('alter table users alter invite_code type varchar(20)');
    onTestFinished(async () => void (await query('alter table users alter invite_code type text')));
    await expectList(send(handler));
  });

  test('a schema that is not migrated is a 503, in plain words in the log', async () => {
    await query('create database empty');
    const logged = errorsLogged();
    await expectUnavailable(send(await load({}, urlWith(server.url, { username: 'api', database: 'empty' }))));
    expect(logged).toMatchObject([
      [{ status: 503, error: { code: '42P01', advice: /^The schema is not the one .*: run the migrations\.$/ } }],
    ]);
  });

  test.each([
    ['a wrong password', { password: 'wrong' }, '28P01', /refuses/],
    ['a database that does not exist', { database: 'nowhere' }, '3D000', /no database/],
    ['a role without privileges', { username: 'nobody', password: 'right' }, '42501', /create-reader/],
  ])('%s is a 503, in plain words in the log', async (_, parts, code, advice) => {
    const rules = join(server.dataDir, 'pg_hba.conf');
    const before = readFileSync(rules, 'utf8');
    if ('password' in parts) writeFileSync(rules, `host all api,nobody 127.0.0.1/32 scram-sha-256\n${before}`);
    onTestFinished(async () => {
      writeFileSync(rules, before);
      await query('drop role if exists nobody', 'select pg_reload_conf()');
    });
    await query(`create role nobody login password 'right'`, 'select pg_reload_conf()');
    const logged = errorsLogged();
    await expectUnavailable(send(await load({}, urlWith(server.url, { username: 'api', ...parts }))));
    expect(logged).toMatchObject([[{ status: 503, error: { code, advice } }]]);
  });
});

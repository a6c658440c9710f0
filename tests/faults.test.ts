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
    await query(
      'create role api login',
      'grant pg_read_all_data to api',
      'grant execute on all functions in schema public to api',
    );
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
  async function lock(table: 'auth_tokens' | 'user_presence' | 'users'): Promise<{ release: () => Promise<void> }> {
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
    expect(problem().detail).toBe(detail);
    // The same query would take as long again.
    expect(headers['Retry-After']).toBe(detail === unavailable ? '5' : undefined);
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

  test('a connection that the server ended because it was idle, in an instance frozen meanwhile, is replaced', async () => {
    // ms: longer than a request idles between its statements on a busy machine, which would be ended there and then
    await query('alter role api set idle_session_timeout = 400');
    onTestFinished(async () => void (await query('alter role api reset idle_session_timeout')));
    const frozen = await load();
    await expectList(send(frozen));
    const before = await backends();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    await expectList(send(frozen));
    expect(await backends()).not.toEqual(expect.arrayContaining(before));
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

  test('however many requests come at once, an instance has one connection', async () => {
    await Promise.all([1, 2, 3].map(() => expectList(send(handler))));
    expect(await backends()).toHaveLength(1);
  });

  test('a connection in use is kept, however old it is; one that was idle for more than four minutes is replaced', async () => {
    let now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
    onTestFinished(() => clock.mockRestore());
    await expectList(send(handler));
    const before = await backends();
    for (let use = 0; use < 3; use += 1) {
      now += 240_000;
      await expectList(send(handler));
      expect(await backends()).toEqual(before);
    }
    now += 240_001;
    await expectList(send(handler));
    clock.mockRestore();
    // The server's process ends a moment after the client has gone.
    const kept = async () => (await backends()).filter((pid) => before.includes(pid));
    await expect.poll(kept).toEqual([]);
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
      const frozen = await load({ QUERY_TIMEOUT_MS: '1000' }, url);
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
    const taken = () => query(`select pid from pg_stat_activity where usename = 'api'`);
    const before = await taken();
    await idle.pop()?.end();
    // The server's process ends, and frees it, a moment after the client has gone.
    await expect.poll(taken).toHaveLength(before.length - 1);
    await expectList(send(late));
  });

  describe('a statement over its time limit', () => {
    const tooLong = 'The query took longer than it may. Use fewer, longer or rarer words in `search`.';

    test('is a 503 that says what to narrow; the busy connection is replaced', async () => {
      handler = await load({ QUERY_TIMEOUT_MS: '1000' });
      await expectList(send(handler));
      const { release } = await lock('user_presence');
      await expectUnavailable(send(handler, { query: 'search=a' }), tooLong);
      await release();
      await expectList(send(handler));
    });

    test('of the server is a 503 as well; the connection is kept', async () => {
      await query(`alter role api set statement_timeout = '1s'`);
      onTestFinished(async () => void (await query('alter role api reset statement_timeout')));
      handler = await load();
      await expectList(send(handler));
      const before = await backends();
      const logged = errorsLogged();
      const { release } = await lock('user_presence');
      await expectUnavailable(send(handler, { query: 'search=a' }), tooLong);
      expect(logged).toMatchObject([
        [{ status: 503, isOverTimeLimit: true, error: { code: '57014', advice: /statement_timeout/ } }],
      ]);
      await release();
      await expectList(send(handler));
      expect(await backends()).toEqual(before);
    });

    test('of authentication is a database that cannot be reached', async () => {
      handler = await load({ QUERY_TIMEOUT_MS: '1000' });
      await lock('auth_tokens');
      await expectUnavailable(send(handler));
    });
  });

  describe('a lock of another program', () => {
    const locked = { status: 503, error: { code: '55P03', advice: /lock_timeout/ } };

    beforeEach(async () => {
      await query(`alter role api set lock_timeout = '300ms'`);
      onTestFinished(async () => void (await query('alter role api reset lock_timeout')));
      handler = await load();
    });

    /** Until the handler's statement waits for a lock that it began to wait for later than `since`. */
    async function untilWaitingSince(since = '-infinity'): Promise<string> {
      for (;;) {
        const [row] = await query(`select query_start::text from pg_stat_activity
          where application_name = 'users-api' and wait_event_type = 'Lock' and query_start > '${since}'`);
        if (row) return String(row['query_start']);
        await sleep(5);
      }
    }

    test.each(['auth_tokens', 'user_presence', 'users'] as const)(
      'on %s for longer than lock_timeout is a 503, on a new connection too; the connection is kept',
      async (table) => {
        const { release } = await lock(table);
        const logged = errorsLogged();
        await expectUnavailable(send(handler));
        const before = await backends();
        await expectUnavailable(send(handler));
        expect(logged).toMatchObject([[locked], [locked]]);
        await release();
        await expectList(send(handler));
        expect(await backends()).toEqual(before);
      },
    );

    test('is waited for once more than lock_timeout allows', async () => {
      await query(`alter role api set lock_timeout = '1s'`); // so that both waits are seen
      handler = await load();
      await expectList(send(handler));
      const { release } = await lock('user_presence');
      const answer = send(handler);
      await untilWaitingSince(await untilWaitingSince());
      await release();
      await expectList(answer);
    });

    test('is not waited for beyond the time limit of the request', async () => {
      handler = await load({ QUERY_TIMEOUT_MS: '400' });
      await expectList(send(handler));
      await lock('user_presence');
      // The second wait of 300 ms was cut short.
      const cutShort = 'The query took longer than it may. Narrow it with `id_min` and `id_max`.';
      await expectUnavailable(send(handler), cutShort);
    });
  });

  test('a deadlock with the alter table of another program is over for both, and the statement sent again', async () => {
    const other = new pg.Client({ connectionString: server.url });
    await other.connect();
    onTestFinished(() => other.end());
    await other.query('begin');
    await other.query('lock table user_presence');
    const answer = send(handler); // has its lock on users, waits for user_presence
    await untilWaiting();
    const before = await backends();
    await other.query('alter table users add column of_another_program integer'); // would wait for ever
    await other.query('rollback');
    await expectList(answer);
    expect(await backends()).toEqual(before);
  });

  test('transaction_timeout, which also ends the connection, is a 503 that says what to narrow', async ({ skip }) => {
    const [{ version } = { version: 0 }] = await query(`select current_setting('server_version_num')::int as version`);
    skip(Number(version) < 170_000, 'PostgreSQL knows it since 17');
    await query(`alter role api set transaction_timeout = '1s'`);
    onTestFinished(async () => void (await query('alter role api reset transaction_timeout')));
    handler = await load();
    await expectList(send(handler));
    const logged = errorsLogged();
    const { release } = await lock('user_presence');
    const tooLong = 'The query took longer than it may. Leave out `ordering`.';
    await expectUnavailable(send(handler, { query: 'ordering=email' }), tooLong);
    expect(logged).toMatchObject([[{ status: 503, error: { code: '25P04', advice: /transaction_timeout/ } }]]);
    await release();
    await expectList(send(handler));
  });

  describe('whatever the server says', () => {
    beforeAll(async () => {
      await query(
        'create sequence attempts',
        'alter function search_pattern(text) rename to kept_search_pattern',
        // A sequence counts what is rolled back as well.
        `create function search_pattern(code text) returns text language plpgsql security definer as
          'begin perform nextval(''public.attempts''); raise exception using errcode = upper(code); end'`,
      );
      return () =>
        query(
          'drop function search_pattern(text)',
          'drop sequence attempts',
          'alter function kept_search_pattern(text) rename to search_pattern',
        );
    });

    const timeLimits = ['25P04', '57014'];

    /** SQLSTATEs by what they are to a request, and how often the statement is sent. */
    test.each<[status: number, attempts: number, codes: string]>([
      [503, 2, '08000 08006 08P01 0A000 25P02 25P03 40000 40001 40003 40P01 55P03 57P01 57P02 57P05 72000'],
      [
        503,
        1,
        '25P04 26000 42501 42703 42883 42P01 42P05 53000 53100 53200 53300 53400 55000 55006 57000 57014 58000 58030 58P01',
      ],
      [500, 1, '21000 22012 22P02 25006 42601 54001 P0001 XX000 XX001'],
    ])('is a %i, sent %i times, for %s', async (status, attempts, codes) => {
      const logged = errorsLogged() as unknown[][];
      for (const code of codes.split(' ')) {
        await query('alter sequence attempts restart');
        const answer = await send(handler, { query: `search=${code}` });
        const [row] = await query('select last_value::int as count from attempts');
        expect([code, answer.status, row?.['count']]).toEqual([code, status, attempts]);
        const isToBeSentAgain = status === 503 && !timeLimits.includes(code);
        expect(answer.headers['Retry-After']).toBe(isToBeSentAgain ? '5' : undefined);
        const [line] = logged.pop() as [object];
        expect('isOverTimeLimit' in line).toBe(timeLimits.includes(code));
        expect(answer.text).not.toContain(code);
      }
    });

    test('a connection that is of no more use is replaced at once', async () => {
      errorsLogged();
      for (const code of ['25P04', '57P01']) {
        const before = await backends();
        await send(handler, { query: `search=${code}` });
        await expectList(send(handler));
        expect(await backends()).not.toEqual(before);
      }
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
      [{ status: 503, error: { code: '42883', advice: /^The schema is not the one .*: run the migrations\.$/ } }],
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

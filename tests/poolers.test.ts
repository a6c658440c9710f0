import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hashKey } from '../lib/auth.ts';
import type { Database } from '../lib/database/tables.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { postgresUser } from '../scripts/servers/postgres-programs.ts';
import { type PostgresServer, startPostgresServer } from '../scripts/servers/postgres-server.ts';
import { loadHandler, send } from './setup/request.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

const pgbouncer = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path));

const idsOf = async (handler: Handler, query = ''): Promise<number[]> => {
  const { status, text, json } = await send(handler, { query });
  expect(status, text).toBe(200);
  return json().results.map(({ id }) => id);
};

/** The first row. A standby may cancel the question too, as in the way of its recovery; then it is asked again. */
async function ask<Row>(question: RawBuilder<Row>, db: Kysely<Database>): Promise<Row | undefined> {
  for (;;) {
    try {
      return (await question.execute(db)).rows[0];
    } catch (error) {
      if ((error as { code?: string }).code !== '40001') throw error;
    }
  }
}

async function untilTrue(condition: RawBuilder<boolean>, db: Kysely<Database>): Promise<void> {
  while (!(await ask(sql<{ holds: boolean | null }>`select ${condition} as holds`, db))?.holds) await sleep(10);
}

describe.skipIf(!canStartServer)('beside the primary', () => {
  let primary: PostgresServer;
  let db: Kysely<Database>;

  beforeAll(async () => {
    // Whoever asks for it waits for the standby; nobody else does.
    primary = await startTestServer({ synchronous_standby_names: '*', synchronous_commit: 'local' });
    db = openForOperators(primary.url);
    return async () => {
      await db.destroy();
      await primary.remove();
    };
  });

  const load = (url: string, environment: Record<string, string> = {}) =>
    loadHandler(url, { DATABASE_NAMED_STATEMENTS: 'on', ...environment });

  /** Instances of the function; one after the other, because each is made of modules loaded anew. */
  async function loadSeveral(url: string, environment: Record<string, string> = {}): Promise<Handler[]> {
    const handlers: Handler[] = [];
    while (handlers.length < 6) handlers.push(await load(url, environment));
    return handlers;
  }

  describe('a hot standby', () => {
    let standby: PostgresServer;
    let handler: Handler;

    beforeAll(async () => {
      // A query in the way of its recovery is cancelled at once.
      standby = await startPostgresServer({ max_standby_streaming_delay: 0 }, primary);
      handler = await load(standby.url);
      return () => standby.remove();
    });

    /** Until the standby has all that the primary has written. */
    async function untilReplayed(observer: Kysely<Database>): Promise<void> {
      const { rows } = await sql<{ written: string }>`select pg_current_wal_lsn()::text as written`.execute(db);
      await untilTrue(sql<boolean>`pg_last_wal_replay_lsn() >= ${rows[0]?.written}::pg_lsn`, observer);
    }

    test('answers, and shows what the primary writes', async () => {
      const observer = openForOperators(standby.url);
      onTestFinished(() => observer.destroy());
      await untilReplayed(observer);
      expect(await idsOf(handler)).toEqual([7, 6, 5, 4, 3, 2, 1]);
      await sql`insert into users (id, username, is_staff) values (50, 'new', true)`.execute(db);
      onTestFinished(async () => void (await sql`delete from users where id = 50`.execute(db)));
      await untilReplayed(observer);
      expect(await idsOf(handler)).toEqual([50, 7, 6, 5, 4, 3, 2, 1]);
    });

    test('is read-only, so the API has written nothing', async () => {
      const reader = openForOperators(standby.url);
      await expect(sql`delete from user_presence`.execute(reader)).rejects.toMatchObject({ code: '25006' });
      await reader.destroy();
    });

    /** Keeps the standby where it is, until the test says so or ends. */
    async function pauseReplay(observer: Kysely<Database>): Promise<() => Promise<void>> {
      await sql`select pg_wal_replay_pause()`.execute(observer);
      await untilTrue(sql<boolean>`pg_get_wal_replay_pause_state() = 'paused'`, observer);
      const resume = async () => void (await sql`select pg_wal_replay_resume()`.execute(observer));
      onTestFinished(resume);
      return resume;
    }

    const issueToken = async () => (await runCommand(db, ['issue-token', 'ann']))[0] as string;
    const revokeToken = (from: Kysely<Database>, key: string) =>
      runCommand(from, ['revoke-token', hashKey(key).toString('hex')]);
    const statusOf = async (key: string) => (await send(handler, { key })).status;

    test('that lags refuses a token issued a moment ago, and lets in one revoked a moment ago', async () => {
      const observer = openForOperators(standby.url);
      onTestFinished(() => observer.destroy());
      const old = await issueToken();
      await untilReplayed(observer);
      const resume = await pauseReplay(observer);
      const issued = await issueToken();
      await revokeToken(db, old);
      expect(await statusOf(issued)).toBe(401);
      expect(await statusOf(old)).toBe(200);
      await resume();
      await untilReplayed(observer);
      expect(await statusOf(issued)).toBe(200);
      expect(await statusOf(old)).toBe(401);
    });

    test('that lags is waited for by a command with remote_apply: what it has revoked is refused there', async () => {
      const observer = openForOperators(standby.url);
      const waiting = openForOperators(`${primary.url}&options=-csynchronous_commit%3Dremote_apply`);
      onTestFinished(async () => {
        await waiting.destroy();
        await observer.destroy();
      });
      const key = await issueToken();
      await untilReplayed(observer);
      const resume = await pauseReplay(observer);
      const revoked = revokeToken(waiting, key);
      await untilTrue(sql<boolean>`exists (select from pg_stat_activity where wait_event = 'SyncRep')`, db);
      expect(await statusOf(key)).toBe(200);
      await resume();
      await revoked;
      expect(await statusOf(key)).toBe(401);
    });

    test('that cancels a statement in the way of its recovery is asked again', async () => {
      const observer = openForOperators(standby.url); // on one connection
      onTestFinished(() => observer.destroy());
      await sql`alter function search_fold(text) rename to quick_search_fold`.execute(db);
      await sql`create function search_fold(value text) returns text language sql
        as 'select quick_search_fold(value) from pg_advisory_xact_lock_shared(1)'`.execute(db);
      onTestFinished(async () => {
        await sql`drop function search_fold(text)`.execute(db);
        await sql`alter function quick_search_fold(text) rename to search_fold`.execute(db);
      });
      await untilReplayed(observer);
      // Nobody searches before the observer lets go, so that it sees all that there is to see.
      await sql`select pg_advisory_lock(1)`.execute(observer);
      const searches = sql`pg_stat_activity where application_name = 'users-api' and wait_event = 'advisory'`;
      const cancelled = async () => {
        const conflicts = sql<{ sum: string }>`select sum(confl_lock) as sum from pg_stat_database_conflicts`;
        return Number((await ask(conflicts, observer))?.sum);
      };
      const before = await cancelled();

      const answer = idsOf(await load(standby.url, { QUERY_TIMEOUT_MS: '12000' }), 'search=nn&id_max=1');
      await untilTrue(sql<boolean>`exists (select from ${searches})`, observer);
      const first = sql<{ pid: number; start: string }>`select pid, query_start::text as start from ${searches}`;
      const { pid, start } = (await ask(first, observer)) ?? {};
      await db.transaction().execute((trx) => sql`lock table users`.execute(trx));
      await untilTrue(
        sql<boolean>`exists (select from ${searches} and pid = ${pid} and query_start > ${start})`,
        observer,
      );
      await sql`select pg_advisory_unlock(1)`.execute(observer);
      expect(await answer).toEqual([1]);
      // A process that ends reports what it has counted.
      await sql`select pg_terminate_backend(${pid})`.execute(observer);
      await expect.poll(cancelled).toBe(before + 1);
    });
  });

  describe.skipIf(!pgbouncer)('PgBouncer in transaction mode', () => {
    /** Two connections to the server, however many come. */
    async function startPgBouncer(): Promise<{ url: string; version: number[] }> {
      const folder = mkdtempSync(join(tmpdir(), 'users-api-pgbouncer-'));
      const port = await findFreePort();
      const file = join(folder, 'pgbouncer.ini');
      writeFileSync(
        file,
        `[databases]
        postgres = host=127.0.0.1 port=${primary.port} user=postgres
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = ${port}
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        default_pool_size = 2
        max_client_conn = 100
        server_login_retry = 1`.replace(/^ +/gm, ''),
      );
      const owner = postgresUser();
      if (owner) for (const path of [folder, file]) chownSync(path, owner.uid, owner.gid);
      const bouncer: ChildProcess = spawn(pgbouncer as string, ['--quiet', file], {
        ...owner,
        cwd: '/',
        stdio: 'ignore',
      });
      onTestFinished(async () => {
        const exited = once(bouncer, 'exit');
        if (bouncer.kill('SIGKILL')) await exited;
        rmSync(folder, { recursive: true });
      });
      const url = urlWith(primary.url, { port });
      const connect = async () => {
        const client = openForOperators(url);
        await sql`select 1`.execute(client).finally(() => client.destroy());
      };
      await vi.waitFor(connect, { timeout: 15_000 });
      return { url, version: await versionOf(url) };
    }

    async function versionOf(url: string): Promise<number[]> {
      const { default: pg } = await import('pg');
      const client = new pg.Client(urlWith(url, { database: 'pgbouncer', username: 'pgbouncer' }));
      await client.connect();
      const { rows } = await client.query('show version');
      await client.end();
      return (String(rows[0]?.version).match(/\d+/g) ?? []).map(Number);
    }

    /** Statements of several instances, each on whichever connection is free. */
    const sendToAll = async (handlers: Handler[]) => {
      const rounds = Array.from({ length: 20 }, () => Promise.all(handlers.map((handler) => send(handler))));
      return (await Promise.all(rounds)).flat();
    };

    test('answers without named statements', async () => {
      const { url } = await startPgBouncer();
      const handlers = await loadSeveral(url, { DATABASE_NAMED_STATEMENTS: 'off' });
      const answers = await sendToAll(handlers);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      // Those of an earlier PgBouncer may still be about to end.
      const connections = async () =>
        (await sql`select from pg_stat_activity where application_name = 'users-api'`.execute(db)).rows.length;
      await expect.poll(connections).toBeLessThanOrEqual(2);
    });

    test('with named statements, versions before 1.21 lose them: a 503 whose log says so', async ({ skip }) => {
      const { url, version } = await startPgBouncer();
      const [major = 0, minor = 0] = version;
      const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
      onTestFinished(() => errors.mockRestore());
      const handlers = await loadSeveral(url);
      const answers = await sendToAll(handlers);
      const failed = answers.filter(({ status }) => status !== 200);
      skip(major > 1 || minor >= 21, `PgBouncer ${version.join('.')} keeps named statements`);
      expect(failed.length).toBeGreaterThan(0);
      expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([503]));
      expect(errors.mock.calls[0]).toMatchObject([
        { status: 503, error: { advice: 'A pooler loses prepared statements: set DATABASE_NAMED_STATEMENTS=off.' } },
      ]);
    });

    test('a server lost behind it is a 503; requests are answered soon after its return', async () => {
      const { url } = await startPgBouncer();
      const handler = await load(url, { DATABASE_NAMED_STATEMENTS: 'off', QUERY_TIMEOUT_MS: '1000' });
      expect(await idsOf(handler)).toHaveLength(7);
      await primary.stop();
      onTestFinished(() => primary.start());
      expect((await send(handler)).status).toBe(503);
      await primary.start();
      const isAnswered = async () => {
        const { status } = await send(handler);
        expect([200, 503]).toContain(status);
        return status === 200;
      };
      await vi.waitUntil(isAnswered, { timeout: 15_000, interval: 100 });
    });
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Database } from '../lib/database/tables.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { findHaproxy, startHaproxy } from '../scripts/servers/haproxy.ts';
import { type PostgresServer, startPostgresServer } from '../scripts/servers/postgres-server.ts';
import { expectedLists, type Instance, openInstance } from './setup/instance.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

const instances = 8;
const clients = 24;

/** The longest that there is, longer than is waited for here: who is stuck on a server that is away is freed by HAProxy alone. */
const queryTimeoutMs = 12_000;
/** What a request takes at most: two statements, and two connections. */
const longestMs = 2 * (queryTimeoutMs + 2000);

describe.skipIf(!canStartServer || !findHaproxy())('two standbys behind HAProxy', () => {
  let standbys: PostgresServer[];
  const { log, error } = console;

  beforeAll(async () => {
    const primary = await startTestServer();
    const db = openForOperators(primary.url);
    const [, line = ''] = await runCommand(db, ['create-reader', 'users_api']);
    await db.destroy();
    // Copied by the standbys. HAProxy has no password: for its check the question for one is enough.
    const rules = join(primary.dataDir, 'pg_hba.conf');
    writeFileSync(rules, `host all users_api 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, 'utf8')}`);
    standbys = [await startPostgresServer({}, primary), await startPostgresServer({}, primary)];
    const haproxy = await startHaproxy(
      standbys.map(({ port }) => port),
      'users_api',
    );
    const reader = { username: 'users_api', password: line.replace('password: ', ''), port: haproxy.port };
    vi.stubEnv('DATABASE_URL', urlWith(primary.url, reader));
    vi.stubEnv('QUERY_TIMEOUT_MS', String(queryTimeoutMs));
    Object.assign(console, { log: () => {}, error: () => {} });
    return async () => {
      Object.assign(console, { log, error });
      await haproxy.stop();
      for (const server of [...standbys, primary]) await server.remove();
    };
  });

  /** On a connection of its own: a server that is stopped would keep it. */
  async function askStandby<Answer>(index: number, ask: (db: Kysely<Database>) => Promise<Answer>): Promise<Answer> {
    const db = openForOperators((standbys[index] as PostgresServer).url);
    return ask(db).finally(() => db.destroy());
  }

  const countConnections = (index: number) =>
    askStandby(index, async (db) => {
      const { rows } = await sql`select from pg_stat_activity where application_name = 'users-api'`.execute(db);
      return rows.length;
    });

  async function endConnections(index: number): Promise<void> {
    await askStandby(index, async (db) => {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'users-api'`.execute(
        db,
      );
    });
    await expect.poll(() => countConnections(index)).toBe(0);
  }

  /** Instances keep the connections that they have; new ones come to whoever has the fewest. */
  async function untilUsed(index: number): Promise<void> {
    const countAfterNew = async () => {
      expect((await (await openInstance())('')).status).toBe(200);
      return countConnections(index);
    };
    await expect.poll(countAfterNew, { interval: 200 }).toBeGreaterThan(0);
  }

  beforeEach(async () => {
    for (const index of [0, 1]) await untilUsed(index);
    for (const index of [0, 1]) await endConnections(index);
  });

  async function openInstances(): Promise<Instance[]> {
    const pool: Instance[] = [];
    while (pool.length < instances) pool.push(await openInstance());
    await Promise.all(pool.map((instance) => instance('')));
    return pool;
  }

  /** Clients that ask the instances in turns, until they are told to stop. */
  function load(pool: Instance[]) {
    const answers = { right: 0, unavailable: 0, slowestMs: 0, wrong: [] as string[] };
    let isOver = false;

    async function ask(number: number): Promise<void> {
      const [query, ids] = expectedLists[number % expectedLists.length] as (typeof expectedLists)[number];
      const start = performance.now();
      const { status, text, json } = await (pool[number % pool.length] as Instance)(query);
      answers.slowestMs = Math.max(answers.slowestMs, performance.now() - start);
      if (status === 503) answers.unavailable += 1;
      else if (status === 200 && String(json().results.map(({ id }) => id)) === ids) answers.right += 1;
      else answers.wrong.push(`?${query}: ${status} ${text}`);
    }

    async function beClient(first: number): Promise<void> {
      for (let number = first; !isOver; number += 7) await ask(number);
    }

    const all = Promise.all(Array.from({ length: clients }, (_, number) => beClient(number)));
    const stop = async () => {
      isOver = true;
      await all;
    };
    onTestFinished(stop);
    return {
      answers,
      stop,
      /** Until so many more are answered rightly. */
      async untilRight(more: number) {
        const enough = answers.right + more;
        while (answers.right < enough) await sleep(10);
      },
    };
  }

  test.each<
    [fault: string, index: number, fail: (server: PostgresServer) => unknown, mend: (server: PostgresServer) => unknown]
  >([
    ['killed', 0, (server) => server.stop('killed'), (server) => server.start()],
    ['stopped in its tracks', 1, (server) => server.signal('SIGSTOP'), (server) => server.signal('SIGCONT')],
  ])(
    'one that is %s costs no wrong answer; the other answers, and it again when it returns',
    async (fault, index, fail, mend) => {
      const failing = standbys[index] as PostgresServer;
      const other = 1 - index;
      const pool = await openInstances();
      onTestFinished(async () => void (await mend(failing)));
      expect(await countConnections(index)).toBeGreaterThan(0);
      expect(await countConnections(other)).toBeGreaterThan(0);

      const { answers, untilRight, stop } = load(pool);
      await untilRight(clients);
      await fail(failing);
      await expect.poll(() => countConnections(other)).toBe(instances);
      await untilRight(clients);
      const meanwhile = { ...answers };

      await mend(failing);
      await untilUsed(index);
      await untilRight(clients);
      await stop();
      log(fault, { meanwhile, afterwards: answers });
      expect(answers.wrong).toEqual([]);
      expect(answers.slowestMs).toBeLessThan(longestMs);
      const after = await Promise.all(pool.map((instance) => instance('')));
      expect(after.map(({ status }) => status)).toEqual(pool.map(() => 200));
    },
  );

  test('both away are a 503, and requests are answered soon after their return', async () => {
    const startBoth = async () => {
      for (const standby of standbys) await standby.start();
    };
    onTestFinished(startBoth);
    const instance = await openInstance();
    expect((await instance('')).status).toBe(200);
    for (const standby of standbys) await standby.stop('killed');
    const { status, headers } = await instance('');
    expect([status, headers['Retry-After']]).toEqual([503, '5']);
    await startBoth();
    await expect.poll(async () => (await instance('')).status).toBe(200);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pg from 'pg';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { PostgresServer } from '../scripts/servers/postgres-server.ts';
import { expectedLists, type Instance, openInstance } from './setup/instance.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

/** Set FAULTS_LOAD_SECONDS=60 for the long one; its figures stand in the output with `--silent=false`. */
const seconds = Number(process.env['FAULTS_LOAD_SECONDS'] ?? 10);
const clients = 200;
const instances = 50;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function weighHeapMb(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

describe.skipIf(!canStartServer)(
  `${clients} clients, ${instances} instances, ${seconds} s of killed connections`,
  () => {
    let server: PostgresServer;
    let admin: pg.Client;
    let pool: Instance[];
    const { log, error } = console;

    beforeAll(async () => {
      server = await startTestServer({ max_connections: instances + 10 });
      admin = new pg.Client({ connectionString: server.url });
      await admin.connect();
      await admin.query('create role api login; grant pg_read_all_data to api');
      await admin.query('grant execute on all functions in schema public to api');
      pool = [];
      vi.stubEnv('DATABASE_URL', urlWith(server.url, { username: 'api' }));
      while (pool.length < instances) pool.push(await openInstance());
      // Not spies: they keep every line, and this test weighs memory.
      Object.assign(console, { log: () => {}, error: () => {} });
      return async () => {
        Object.assign(console, { log, error });
        await admin.end();
        await server.remove();
      };
    });

    async function countConnections(): Promise<number> {
      const { rows } = await admin.query(`select count(*)::int as count from pg_stat_activity where usename = 'api'`);
      return rows[0].count;
    }

    /** Until these have ended: on a busy machine they take their time, and would be counted with those that come after them. */
    async function untilGone(pids: number[]): Promise<void> {
      for (;;) {
        const { rowCount } = await admin.query('select from pg_stat_activity where pid = any($1)', [pids]);
        if (!rowCount) return;
        await sleep(5);
      }
    }

    test(
      'every answer is a 200 of the right content or a 503, and nothing leaks',
      async () => {
        const answers = { right: 0, unavailable: 0 };
        const wrong: string[] = [];
        let slowestMs = 0;
        let killed = 0;
        let mostConnections = 0;

        async function ask(number: number): Promise<void> {
          const [query, ids] = expectedLists[number % expectedLists.length] as (typeof expectedLists)[number];
          const instance = pool[number % instances] as Instance;
          const start = performance.now();
          const { status, text, json } = await instance(query);
          slowestMs = Math.max(slowestMs, performance.now() - start);
          if (status === 503) answers.unavailable += 1;
          else if (status === 200 && String(json().results.map(({ id }) => id)) === ids) answers.right += 1;
          else wrong.push(`?${query}: ${status} ${text}`);
        }

        // Compiled and connected first, then weighed.
        for (let number = 0; number < 20 * instances; number += 1) await ask(number);
        const heapBefore = weighHeapMb();
        const end = performance.now() + seconds * 1000;
        // A busy machine has done too little by then.
        const goesOn = () => performance.now() < end || killed <= instances || answers.right <= clients;

        async function beClient(first: number): Promise<void> {
          // Steps of 7: each client comes to every instance with every request.
          for (let number = first; goesOn(); number += 7) await ask(number);
        }

        async function kill(): Promise<void> {
          while (goesOn()) {
            const { rows } = await admin.query<{ pid: number }>(
              `select pid, pg_terminate_backend(pid) from pg_stat_activity where usename = 'api' order by random() limit 5`,
            );
            killed += rows.length;
            mostConnections = Math.max(mostConnections, await countConnections());
            await untilGone(rows.map(({ pid }) => pid));
            await sleep(20);
          }
        }

        await Promise.all([kill(), ...Array.from({ length: clients }, (_, number) => beClient(number))]);
        const heapAfter = weighHeapMb();
        log({ seconds, answers, killed, slowestMs, mostConnections, heapBefore, heapAfter });

        expect(wrong).toEqual([]);
        expect(answers.right).toBeGreaterThan(clients);
        expect(killed).toBeGreaterThan(instances);
        expect(mostConnections).toBeLessThanOrEqual(instances + 5); // a killed one takes a moment to go
        expect(heapAfter - heapBefore).toBeLessThan(10);
        // Afterwards each instance answers at once, and has one connection.
        const after = await Promise.all(pool.map((instance) => instance('')));
        expect(after.map(({ status }) => status)).toEqual(pool.map(() => 200));
        await expect.poll(countConnections).toBe(instances);
        const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');
        expect(sockets.length).toBeLessThanOrEqual(instances + 5);
      },
      (seconds + 60) * 1000,
    );
  },
);

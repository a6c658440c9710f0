import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../scripts/servers/postgres-server.ts';
import { listListening } from './setup/listening.ts';
import { canStartServer } from './setup/server.ts';

const pidOf = ({ dataDir }: { dataDir: string }) =>
  Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);

/** `S` of one that sleeps, `T` of one that is stopped; undefined where it has ended, though it may still wait for its parent to ask how. */
function stateOf(pid: number): string | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  return /\) ([^ZX]) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

const runs = (pid: number) => stateOf(pid) !== undefined;

describe.skipIf(!canStartServer)('a server of the tests', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer({ max_connections: 23, fsync: 'on' });
    return () => server.remove();
  });

  /** The first column of the only row. */
  async function ask(text: string): Promise<unknown> {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
    await client.end();
    return rows[0]?.[0];
  }

  test("is on loopback alone, nobody's but its own, with its data under the temporary folder", () => {
    const pid = pidOf(server);
    expect(listListening(pid)).toEqual(['127.0.0.1']);
    expect(statSync(`/proc/${pid}`).uid).not.toBe(0);
    expect(dirname(server.dataDir)).toBe(tmpdir());
    expect(statSync(server.dataDir).mode & 0o777).toBe(0o700);
    expect(new URL(server.url)).toMatchObject({ hostname: '127.0.0.1', port: String(server.port) });
  });

  test('has the settings that it is given, and speaks Unicode', async () => {
    expect(await ask('show max_connections')).toBe('23');
    expect(await ask('show fsync')).toBe('on');
    expect(await ask('show server_encoding')).toBe('UTF8');
    expect(await ask('select datctype from pg_database where datname = current_database()')).toBe('C.UTF-8');
  });

  test('is started once, however often it is asked to', async () => {
    const pid = pidOf(server);
    await server.start();
    expect(pidOf(server)).toBe(pid);
  });

  test('ends, however it is stopped, and starts on the same port: what is not logged outlasts no crash', async () => {
    await ask('create unlogged table unlogged as select 1 as one');
    for (const [mode, rows] of [
      ['fast', '1'],
      ['immediate', '0'],
      ['killed', '0'],
    ] as const) {
      const pid = pidOf(server);
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
      expect(children.length).toBeGreaterThan(1);
      server.signal('SIGSTOP');
      await expect.poll(() => [pid, ...children].filter((each) => (stateOf(each) ?? 'T') !== 'T')).toEqual([]);
      await server.stop(mode);
      expect(runs(pid)).toBe(false);
      await server.start();
      expect(await ask('select count(*) from unlogged')).toBe(rows);
    }
  });

  test('goes with its data', async () => {
    const other = await startPostgresServer();
    const pid = pidOf(other);
    await other.remove();
    expect(existsSync(other.dataDir)).toBe(false);
    expect(runs(pid)).toBe(false);
  });

  test('goes with the program that started it', () => {
    const module = JSON.stringify(resolve('scripts/servers/postgres-server.ts'));
    const program = `import { readFileSync } from 'node:fs';
      import { startPostgresServer } from ${module};
      const { dataDir, signal } = await startPostgresServer();
      console.log(JSON.stringify({ dataDir, pid: Number(readFileSync(dataDir + '/postmaster.pid', 'utf8').split('\\n')[0]) }));
      signal('SIGSTOP');
      process.exit(0);`;
    const args = ['--input-type=module', '--eval', program];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    const { dataDir, pid } = JSON.parse(stdout);
    expect(runs(pid)).toBe(false);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('is signalled while its sessions end', async () => {
    let isOver = false;
    let ended = 0;
    const churn = async () => {
      while (!isOver) {
        const client = new pg.Client({ connectionString: server.url });
        await client.connect();
        await client.end();
        ended += 1;
      }
    };
    const sessions = Array.from({ length: 8 }, churn);
    try {
      while (ended < 150) {
        for (let n = 0; n < 20; n += 1) server.signal('SIGCONT');
        await setImmediate();
      }
    } finally {
      isOver = true;
      await Promise.all(sessions);
    }
  });
});

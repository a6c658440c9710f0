import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findFreePort } from './free-port.ts';

export type PostgresServer = {
  /** Of the superuser, on loopback. */
  url: string;
  port: number;
  dataDir: string;
  /** Sends a signal to all of its processes: SIGSTOP stops the server in its tracks. */
  signal: (signal: NodeJS.Signals) => void;
  /** Starts it again after a stop, on the same port. */
  start: () => Promise<void>;
  /** `fast` ends sessions, `immediate` is a crash. */
  stop: (mode?: 'fast' | 'immediate') => Promise<void>;
  /** Stops it and deletes its data. */
  remove: () => Promise<void>;
};

/** The folder with `postgres` and `initdb`, or undefined where no server is installed. Debian keeps it out of PATH. */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
  return folders.find((folder) => existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb')));
}

/**
 * Starts a throw-away PostgreSQL on loopback, on a free port, with its data under the temporary folder. `settings` are those of
 * postgresql.conf. With a `primary` it is a hot standby of that server. As root it runs as the user postgres, because PostgreSQL refuses to
 * run as root.
 */
export async function startPostgresServer(
  settings: Record<string, string | number> = {},
  primary?: PostgresServer,
): Promise<PostgresServer> {
  const bin = findPostgres();
  if (!bin) throw new Error('No PostgreSQL server is installed; on Debian: apt-get install postgresql.');
  const dataDir = mkdtempSync(join(tmpdir(), 'users-api-postgres-'));
  const owner = postgresUser();
  if (owner) chownSync(dataDir, owner.uid, owner.gid);

  const run = (program: string, ...args: string[]) => {
    const { status, stderr } = spawnSync(join(bin, program), args, { ...owner, cwd: '/', encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  };
  if (primary)
    run('pg_basebackup', '-D', dataDir, '-d', primary.url, '--write-recovery-conf', '--checkpoint=fast', '--no-sync');
  else
    run('initdb', '-D', dataDir, '-U', 'postgres', '-A', 'trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync');

  const port = await findFreePort();
  const options = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', fsync: 'off', ...settings };
  const url = `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`;
  let postmaster: ChildProcess | undefined;

  const server: PostgresServer = {
    url,
    port,
    dataDir,
    signal(signal) {
      for (const pid of processesOf(postmaster?.pid as number)) kill(pid, signal);
    },
    async start() {
      if (postmaster?.exitCode === null) return;
      const args = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      postmaster = spawn(join(bin, 'postgres'), ['-D', dataDir, ...args], { ...owner, cwd: '/', stdio: 'ignore' });
      // A test run that is killed must not leave servers behind.
      process.once('exit', killAtExit);
      await untilReady(url);
    },
    async stop(mode = 'fast') {
      process.removeListener('exit', killAtExit);
      if (!postmaster || postmaster.exitCode !== null) return;
      const exited = once(postmaster, 'exit');
      server.signal('SIGCONT');
      postmaster.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await exited;
    },
    async remove() {
      await server.stop('immediate');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  function killAtExit() {
    postmaster?.kill('SIGQUIT');
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
  await server.start();
  return server;
}

/** A process that was listed may have ended since. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A process and its children. PostgreSQL puts each into a process group of its own. */
function processesOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
}

/** Whom to run servers as that refuse to run as root. */
export function postgresUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

async function untilReady(connectionString: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client({ connectionString });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (attempt > 300) throw error;
      await sleep(100);
    }
  }
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findFreePort } from './free-port.ts';
import { findPostgres, postgresUser } from './postgres-programs.ts';

export type PostgresServer = {
  /** Of the superuser, on loopback. */
  url: string;
  port: number;
  dataDir: string;
  /** Sends a signal to all of its processes: SIGSTOP stops the server in its tracks. */
  signal: (signal: NodeJS.Signals) => void;
  /** Starts it again after a stop, on the same port. */
  start: () => Promise<void>;
  /** `fast` ends sessions, `immediate` is a crash; `killed` are all of its processes, as when the machine goes. */
  stop: (mode?: 'fast' | 'immediate' | 'killed') => Promise<void>;
  /** Stops it and deletes its data. */
  remove: () => Promise<void>;
};

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
    const { status, stderr } = spawnSync(program, args, { ...owner, cwd: '/', encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  };
  if (primary) await copyPrimary(primary, dataDir, () => run('cp', '-a', `${primary.dataDir}/.`, dataDir));
  else {
    const options = ['-A', 'trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
    run(join(bin, 'initdb'), '-D', dataDir, '-U', 'postgres', ...options);
  }

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
      if (postmaster && !hasEnded(postmaster)) return;
      const args = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      postmaster = spawn(join(bin, 'postgres'), ['-D', dataDir, ...args], { ...owner, cwd: '/', stdio: 'ignore' });
      // A test run that is killed must not leave servers behind.
      process.once('exit', killAtExit);
      await untilReady(url);
    },
    async stop(mode = 'fast') {
      process.removeListener('exit', killAtExit);
      if (!postmaster || hasEnded(postmaster)) return;
      const exited = once(postmaster, 'exit');
      if (mode === 'killed') {
        server.signal('SIGSTOP'); // so that none is born meanwhile
        server.signal('SIGKILL');
      } else {
        server.signal('SIGCONT');
        postmaster.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      }
      await exited;
    },
    async remove() {
      await server.stop('immediate');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  function killAtExit() {
    if (postmaster && !hasEnded(postmaster)) {
      const pid = postmaster.pid as number;
      server.signal('SIGCONT');
      kill(pid, 'SIGQUIT');
      // Until its end it writes into the folder, and would leave it behind. Nothing is awaited any more when a program exits.
      for (let attempt = 0; attempt < 500 && isRunning(pid); attempt += 1) waitHere(10);
    }
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
  await server.start();
  return server;
}

/** What pg_basebackup does, which not every server's package has: copies the files between a start and a stop, and writes down where it began. */
async function copyPrimary(primary: PostgresServer, dataDir: string, copyFiles: () => void): Promise<void> {
  const client = new pg.Client({ connectionString: primary.url });
  await client.connect();
  await client.query(`select pg_backup_start('standby', true)`);
  copyFiles();
  const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
  await client.end();
  rmSync(join(dataDir, 'postmaster.pid'));
  const owner = postgresUser();
  for (const [name, text = ''] of [['backup_label', rows[0]?.labelfile], ['standby.signal']] as const) {
    writeFileSync(join(dataDir, name), text);
    if (owner) chownSync(join(dataDir, name), owner.uid, owner.gid);
  }
  appendFileSync(join(dataDir, 'postgresql.auto.conf'), `primary_conninfo = '${primary.url}'\n`);
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** A process that was listed may have ended since. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Not where it has ended and only waits for its parent, which is this program, to ask how. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const waitHere = (milliseconds: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/** A process and its children. PostgreSQL puts each into a process group of its own. */
function processesOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
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

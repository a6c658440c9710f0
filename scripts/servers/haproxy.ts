import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from './free-port.ts';
import { postgresUser } from './postgres-programs.ts';

export type Haproxy = { port: number; stop: () => Promise<void> };

/** Debian keeps it out of PATH; undefined where it is not installed. */
export const findHaproxy = (): string | undefined =>
  ['/usr/sbin/haproxy', '/usr/bin/haproxy', '/usr/local/sbin/haproxy'].find((path) => existsSync(path));

/**
 * One port on loopback before several PostgreSQL servers, each connection to the one that has the fewest. A server is left out, and its
 * sessions end, once it does not answer: `user` is the role that it is asked for, which needs no right.
 */
const toConfiguration = (port: number, serverPorts: number[], user: string): string => `
defaults
  mode tcp
  balance leastconn
  # A server that refuses is left at the second attempt. All of them within the 2 s that the API gives a connection.
  option redispatch 1
  retries 2
  timeout connect 500ms
  # Instances keep their connections, and those that are frozen say nothing; it is the checks that find who is dead.
  timeout client 1h
  timeout server 1h
  # The kernel takes connections for a server that is stopped in its tracks: only an answer of PostgreSQL's shows that it runs.
  option pgsql-check user ${user}
  # Away after 2 s at most, back after 2: well within QUERY_TIMEOUT_MS, so that a statement that is cut off is sent again in time.
  timeout check 500ms
  default-server check inter 500ms fall 2 rise 4 on-marked-down shutdown-sessions
listen readers
  bind 127.0.0.1:${port}
${serverPorts.map((serverPort) => `  server reader-${serverPort} 127.0.0.1:${serverPort}`).join('\n')}
`;

/** Starts HAProxy before servers on loopback, by their ports; it is ended by its own process id. */
export async function startHaproxy(serverPorts: number[], user: string): Promise<Haproxy> {
  const program = findHaproxy();
  if (!program) throw new Error('HAProxy is not installed; on Debian: apt-get install haproxy.');
  const folder = mkdtempSync(join(tmpdir(), 'users-api-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  const port = await findFreePort();
  writeFileSync(file, toConfiguration(port, serverPorts, user));
  const owner = postgresUser(); // not root
  if (owner) for (const path of [folder, file]) chownSync(path, owner.uid, owner.gid);
  // One process, in the foreground, that says nothing.
  const haproxy = spawn(program, ['-db', '-q', '-f', file], {
    ...owner,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  haproxy.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  // A test run that is killed must leave nothing behind.
  const killAtExit = () => {
    haproxy.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', killAtExit);
  await untilListening(port, haproxy, () => complaint);
  return {
    port,
    async stop() {
      process.removeListener('exit', killAtExit);
      const exited = once(haproxy, 'exit');
      if (haproxy.kill('SIGKILL')) await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilListening(port: number, haproxy: ChildProcess, readComplaint: () => string): Promise<void> {
  while (!(await isListening(port))) {
    if (haproxy.exitCode !== null) throw new Error(`HAProxy has ended: ${readComplaint()}`);
    await sleep(10);
  }
}

async function isListening(port: number): Promise<boolean> {
  const probe = connect(port, '127.0.0.1');
  try {
    await once(probe, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    probe.destroy();
  }
}

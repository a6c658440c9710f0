import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFreePort } from './free-port.ts';
import { postgresUser } from './postgres-programs.ts';

/** `reload` gives it another configuration of `http`, as `nginx -s reload` does. */
export type Nginx = { reload: (http: string) => void; stop: () => Promise<void> };

/** Debian keeps it out of PATH; undefined where it is not installed. */
export const findNginx = (): string | undefined =>
  ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path));

/** Debian's own paths are root's to write. */
const toConfiguration = (http: string): string => `
daemon off;
pid nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${name};`).join('\n')}
${http}
}
`;

/** Starts nginx with what stands in `http`, which listens on this port of loopback; it is ended by its own process id. */
export async function startNginx(port: number, http: string): Promise<Nginx> {
  const program = findNginx();
  if (!program) throw new Error('nginx is not installed; on Debian: apt-get install nginx-light.');
  const folder = mkdtempSync(join(tmpdir(), 'users-api-nginx-'));
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, toConfiguration(http));
  const owner = postgresUser(); // not root
  if (owner) for (const path of [folder, file]) chownSync(path, owner.uid, owner.gid);
  const args = ['-p', folder, '-c', file, '-e', 'stderr'];
  const tried = spawnSync(program, ['-t', ...args], { ...owner, cwd: '/', encoding: 'utf8' });
  if (tried.status !== 0) throw new Error(`nginx refuses its configuration: ${tried.stderr}`);
  const nginx = spawn(program, args, { ...owner, cwd: '/', stdio: 'ignore' });
  // A test run that is killed must leave nothing behind.
  const killAtExit = () => {
    nginx.kill('SIGTERM'); // its workers end with it
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', killAtExit);
  while (await isFreePort(port)) {
    if (nginx.exitCode !== null) throw new Error('nginx has ended.');
    await sleep(10);
  }
  return {
    reload(http) {
      writeFileSync(file, toConfiguration(http));
      nginx.kill('SIGHUP');
    },
    async stop() {
      process.removeListener('exit', killAtExit);
      const exited = once(nginx, 'exit');
      if (nginx.kill('SIGTERM')) await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

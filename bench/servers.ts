import { spawn, spawnSync } from 'node:child_process';
import cluster, { type Address } from 'node:cluster';
import { once } from 'node:events';
import { findFreePort } from '../scripts/servers/free-port.ts';

/** Of whom two processes answer HTTP on loopback. */
export type Server = { url: string; stop: () => Promise<void> };

const workers = 2;

/** Debian's, whatever other Python stands first in PATH. */
export const python = '/usr/bin/python3';

/** Debian's packages, and what fails without them. */
const needed: Record<string, [program: string, ...args: string[]]> = {
  'python3-django': [python, '-c', 'import django'],
  'python3-djangorestframework': [python, '-c', 'import rest_framework'],
  'python3-django-filters': [python, '-c', 'import django_filters'],
  'python3-psycopg2': [python, '-c', 'import psycopg2'],
  gunicorn: [python, '-c', 'import gunicorn'],
};

/** The packages without which the peer cannot be run; for a comparison under load wrk is needed besides. */
export const listMissing = (besides: typeof needed = {}): string[] =>
  Object.entries({ ...needed, ...besides }).flatMap(([name, [program, ...args]]) =>
    spawnSync(program, args).status === 0 ? [] : name,
  );

export const wrk: typeof needed = { wrk: ['sh', '-c', 'command -v wrk'] };

/** `Django 3.2.25, Django REST framework 3.14.0, gunicorn 20.1.0, Python 3.11.2` */
export function readPeerVersions(): string {
  const script = `import platform, django, gunicorn, rest_framework
print(f'Django {django.__version__}, Django REST framework {rest_framework.VERSION}, gunicorn {gunicorn.__version__}, Python {platform.python_version()}')`;
  return spawnSync(python, ['-c', script], { encoding: 'utf8' }).stdout.trim();
}

/** The Django project of peer/, as it would be deployed: gunicorn's own kind of workers, and no line for a request. */
export async function startPeer(databaseUrl: string): Promise<Server> {
  const port = await findFreePort();
  const options = ['--workers', String(workers), '--bind', `127.0.0.1:${port}`];
  const gunicorn = spawn(python, ['-m', 'gunicorn', ...options, 'project.wsgi'], {
    cwd: `${import.meta.dirname}/peer`,
    env: { ...process.env, DATABASE_URL: databaseUrl, SECRET_KEY: crypto.randomUUID(), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const kill = () => gunicorn.kill();
  process.once('exit', kill);
  const exited = once(gunicorn, 'exit');
  let log = '';
  await new Promise<void>((resolve, reject) => {
    gunicorn.stderr.on('data', (chunk) => {
      log += chunk;
      if (log.includes('Listening at')) resolve();
    });
    exited.then(() => reject(new Error(`gunicorn has ended: ${log}`)), reject);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      process.removeListener('exit', kill);
      kill();
      await exited;
    },
  };
}

/** Two instances of the built function, which share a port. */
export async function startOurs(databaseUrl: string): Promise<Server> {
  cluster.setupPrimary({ exec: `${import.meta.dirname}/front.ts` });
  const environment = { DATABASE_URL: databaseUrl, QUERY_TIMEOUT_MS: '' };
  const instances = Array.from({ length: workers }, () => cluster.fork(environment));
  const exited = instances.map((instance) => once(instance, 'exit'));
  const [address] = await Promise.race([
    Promise.all(instances.map(async (instance): Promise<Address> => (await once(instance, 'listening'))[0])),
    Promise.race(exited).then(() => Promise.reject(new Error('an instance has ended'))),
  ]);
  return {
    url: `http://127.0.0.1:${address?.port}`,
    async stop() {
      for (const { process } of instances) process.kill();
      await Promise.all(exited);
    },
  };
}

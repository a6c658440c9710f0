// Runs a command with TEST_DATABASE_URL set to a throw-away PostgreSQL server: `node scripts/with-postgres.ts npm test`.
import { spawnSync } from 'node:child_process';
import { startPostgresServer } from './servers/postgres-server.ts';

const [command, ...args] = process.argv.slice(2);
if (!command) throw new Error('Usage: node scripts/with-postgres.ts <command> …');

const server = await startPostgresServer();
const env = { ...process.env, TEST_DATABASE_URL: server.url };
const { status } = spawnSync(command, args, { stdio: 'inherit', env });
await server.remove();
process.exit(status ?? 1);

import { runCommand } from '../../manage/commands.ts';
import { openForOperators } from '../../manage/database.ts';
import { findPostgres } from '../../scripts/servers/postgres-programs.ts';
import { type PostgresServer, startPostgresServer } from '../../scripts/servers/postgres-server.ts';
import { writePeople } from './people.ts';

/** Whether a server can be started: the tests that harm theirs are skipped without one. */
export const canStartServer = findPostgres() !== undefined;

/** A PostgreSQL server of the test file's own, to be harmed, with the people of `people.ts` in it. The test removes it. */
export async function startTestServer(settings: Record<string, string | number> = {}): Promise<PostgresServer> {
  const server = await startPostgresServer(settings);
  const db = openForOperators(server.url);
  await runCommand(db, ['migrate']);
  await writePeople(db);
  await db.destroy();
  return server;
}

/** The URL with another user name, password or database. */
export function urlWith(
  url: string,
  parts: { username?: string; password?: string; port?: number; database?: string },
) {
  const changed = new URL(url);
  if (parts.username !== undefined) changed.username = parts.username;
  if (parts.password !== undefined) changed.password = parts.password;
  if (parts.port !== undefined) changed.port = String(parts.port);
  if (parts.database !== undefined) changed.pathname = parts.database;
  return changed.href;
}

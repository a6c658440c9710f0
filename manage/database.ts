import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { type ConnectionSettings, toConnection } from '../lib/database/connection.ts';
import type { Database } from '../lib/database/tables.ts';

/** The database as operators write it, by its URL or by settings. The API itself only reads, through `lib/database/database.ts`. */
export function openForOperators(connection: string | ConnectionSettings): Kysely<Database> {
  // When the first statement asks for it: a command line is checked, and listed, without a database.
  const pool = async () => openPool(typeof connection === 'string' ? { databaseUrl: connection } : connection);
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

function openPool(settings: ConnectionSettings): pg.Pool {
  const pool = new pg.Pool({
    application_name: 'users-api manage', // unless the URL gives another
    ...toConnection(settings),
    max: 2, // the second for `adopt`, which fills tables by both
    connectionTimeoutMillis: 5000,
  });
  // A lost connection fails the statement on it; as an event without a listener it would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', () => {});
  return pool;
}

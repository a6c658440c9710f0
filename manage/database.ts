import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from '../lib/schema.ts';

/** The database as operators write it. The API itself only reads, through `lib/database.ts`. */
export function openForOperators(databaseUrl: string): Kysely<Database> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: 'users-api manage',
    max: 1,
    connectionTimeoutMillis: 5000,
  });
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

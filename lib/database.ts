import type { CompiledQuery } from 'kysely';
import pg from 'pg';
import { databaseUnavailable } from './errors.ts';
import { requireDatabaseUrl, type Settings } from './settings.ts';

type RunOptions = { name?: string | undefined; values?: unknown[] };

export type Db = {
  /**
   * Runs a statement. With a `name` it is a prepared one that the connection keeps (a small, fixed set only);
   * `values` take the place of those it was compiled with.
   * Throws a 503 when the database cannot be reached, QueryTimeout when the statement takes too long.
   */
  run: <Row>(statement: CompiledQuery<Row>, options?: RunOptions) => Promise<Row[]>;
  end: () => Promise<void>;
};

/** A statement over its time limit, the server's or ours. */
export class QueryTimeout extends Error {}

/** Two attempts to connect stay within the five seconds in which a client hears that the database is down. */
const connectTimeoutMs = 2000;

/** Gateways and proxies forget idle connections after 350 s and more; an instance that was frozen does not notice. */
const maxIdleMs = 240_000;

/** One connection per instance, which has one request at a time; opened by the first statement. */
export function openDatabase(settings: Settings): Db {
  const pool = new pg.Pool({
    connectionString: requireDatabaseUrl(settings),
    application_name: 'users-api',
    max: 1,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: settings.queryTimeoutMs,
    idleTimeoutMillis: 0, // timers stand still while an instance is frozen: maxIdleMs is looked at instead
    allowExitOnIdle: true,
    types: { getTypeParser },
  });
  // A connection that breaks while idle: the pool has dropped it, the next statement opens another.
  pool.on('error', () => {});
  let lastUsed = 0;

  async function connect(): Promise<pg.PoolClient> {
    try {
      const client = await pool.connect();
      const isStale = lastUsed > 0 && Date.now() - lastUsed > maxIdleMs;
      lastUsed = Date.now();
      if (!isStale) return client;
      client.release(true);
      return await pool.connect();
    } catch (error) {
      throw databaseUnavailable(error);
    }
  }

  async function attempt(statement: pg.QueryConfig): Promise<pg.QueryResult> {
    const client = await connect();
    try {
      const result = await client.query(statement);
      client.release();
      return result;
    } catch (error) {
      const reusable = error instanceof pg.DatabaseError && !isLostConnection(error);
      client.release(!reusable);
      throw error;
    }
  }

  return {
    async run<Row>({ sql, parameters }: CompiledQuery<Row>, { name, values = [...parameters] }: RunOptions = {}) {
      const statement = { text: sql, values, ...(name && settings.namedStatements && { name }) };
      try {
        // Statements only read, so one that a broken connection swallowed may be sent again.
        const result = await attempt(statement).catch((error) => {
          if (isLostConnection(error)) return attempt(statement);
          throw error;
        });
        return result.rows as Row[];
      } catch (error) {
        if (isTimeout(error)) throw new QueryTimeout('The statement took too long.', { cause: error });
        if (isLostConnection(error)) throw databaseUnavailable(error);
        throw error;
      }
    },
    end: () => pool.end(),
  };
}

const INT8 = 20;
const INT8_ARRAY = 1016;

/** Numbers for int8, which arrives as text: ids and counts stay below 2^53. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === INT8) return Number;
  if (oid === INT8_ARRAY) return (text: string) => JSON.parse(`[${text.slice(1, -1)}]`);
  return pg.types.getTypeParser(oid, format);
}

/** SQLSTATE 57014, or node-postgres's own limit. */
function isTimeout(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code === '57014';
  return error instanceof Error && error.message === 'Query read timeout';
}

/** SQLSTATE class 08 and 57P: the server or the pooler ends the connection. Else a socket's error, or the driver's word for one. */
function isLostConnection(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P)/.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  return 'syscall' in error || /^Connection terminated|not queryable/.test(error.message);
}

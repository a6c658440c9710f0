import type { CompiledQuery } from 'kysely';
import pg from 'pg';
import { databaseUnavailable } from '../http/errors.ts';
import type { Settings } from '../settings.ts';
import { type SignToken, toConnection } from './connection.ts';

type RunOptions = { name?: string | undefined; values?: unknown[] };

export type Db = {
  /**
   * Runs a statement. With a `name` it is a prepared one that the connection keeps (a small, fixed set only);
   * `values` take the place of those it was compiled with.
   * Throws a 503 when the database cannot be reached or is not ready for the statement, QueryTimeout when the statement takes too long.
   * Takes at most the time limit of a statement and that of a connection, whatever happens.
   */
  run: <Row>(statement: CompiledQuery<Row>, options?: RunOptions) => Promise<Row[]>;
  end: () => Promise<void>;
};

/** A statement over its time limit, the server's or ours. */
export class QueryTimeout extends Error {}

/** Well within the five seconds in which a client hears that the database is down. */
const connectTimeoutMs = 2000;

/** Gateways and proxies forget idle connections after 350 s and more; an instance that was frozen does not notice. */
const maxIdleMs = 240_000;

/** One connection per instance, which has one request at a time; opened by the first statement. */
export function openDatabase(settings: Settings, signToken?: SignToken): Db {
  const pool = new pg.Pool({
    ...toConnection(settings, signToken),
    application_name: 'users-api',
    max: 1,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 0, // timers stand still while an instance is frozen: maxIdleMs is looked at instead
    allowExitOnIdle: true,
    types: { getTypeParser },
  });
  let lastUsed = 0;
  pool.on('connect', (client) => {
    lastUsed = Date.now();
    // A connection that breaks says so to its statement, but also as an event, which without a listener would end the process.
    client.on('error', () => {});
  });
  // One that breaks while idle: the pool has dropped it, the next statement opens another.
  pool.on('error', () => {});

  async function connect(): Promise<pg.PoolClient> {
    try {
      const client = await pool.connect();
      const isStale = Date.now() - lastUsed > maxIdleMs;
      lastUsed = Date.now();
      if (!isStale) return client;
      client.release(true);
      return await pool.connect();
    } catch (error) {
      throw databaseUnavailable(error);
    }
  }

  async function attempt(statement: pg.QueryConfig, deadline: number): Promise<pg.QueryResult> {
    const client = await connect();
    let isReusable = false;
    try {
      // Not less than a moment: the driver takes 0 for no limit.
      const limited = { ...statement, query_timeout: Math.max(deadline - performance.now(), 1) };
      const result = await client.query(limited);
      isReusable = true;
      return result;
    } catch (error) {
      // After the driver's own time limit the statement still runs on the connection.
      isReusable = error instanceof pg.DatabaseError && !isPassing(error);
      throw error;
    } finally {
      client.release(!isReusable);
    }
  }

  return {
    async run<Row>({ sql, parameters }: CompiledQuery<Row>, { name, values = [...parameters] }: RunOptions = {}) {
      const statement = { text: sql, values, ...(name && settings.namedStatements && { name }) };
      const deadline = performance.now() + settings.queryTimeoutMs;
      try {
        // Statements only read, so one that a broken connection swallowed may be sent again.
        const result = await attempt(statement, deadline).catch((error) => {
          if (isPassing(error)) return attempt(statement, deadline);
          throw error;
        });
        return result.rows as Row[];
      } catch (error) {
        if (isTimeout(error)) throw new QueryTimeout('The statement took too long.', { cause: error });
        if (isPassing(error) || isNotReady(error)) throw databaseUnavailable(error);
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

/**
 * What a fresh connection may cure: the server or a pooler ends this one (SQLSTATE 08, 57P), a standby cancels what stands in the way of its
 * recovery (40001), a migration changed the result of a prepared statement (0A000), a socket's error, or the driver's word for one.
 */
function isPassing(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P|40001|0A000)/.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  return 'syscall' in error || /^Connection terminated|not queryable/.test(error.message);
}

/** Only an operator can help: out of resources (53), no privilege, another schema, a pooler that loses prepared statements. */
function isNotReady(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(53|42501|42P01|42703|42883|26000|42P05)/.test(error.code ?? '');
}

import type { CompiledQuery } from 'kysely';
import pg from 'pg';
import { databaseUnavailable } from '../http/errors.ts';
import type { Settings } from '../settings.ts';
import { toConnection } from './connection.ts';
import { keepsConnection, kindOf } from './faults.ts';
import type { SignToken } from './iam-token.ts';
import { openNames, type Preparation } from './prepared-names.ts';
import { getTypeParser } from './type-parsers.ts';

type RunOptions = {
  /** As a prepared statement, which the connection keeps and plans once. */
  prepare?: Preparation | false;
  /** In place of those it was compiled with. */
  values?: unknown[];
};

export type Db = {
  /**
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
export function openDatabase(settings: Settings, sign?: SignToken): Db {
  const pool = new pg.Pool({
    application_name: 'users-api', // unless the URL gives another
    ...toConnection(settings, sign),
    max: 1,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 0, // timers stand still while an instance is frozen: maxIdleMs is looked at instead
    allowExitOnIdle: true,
    types: { getTypeParser },
  });
  const toName = openNames();
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
      isReusable = keepsConnection(error);
      throw error;
    } finally {
      client.release(!isReusable);
    }
  }

  return {
    async run<Row>(
      { sql, parameters }: CompiledQuery<Row>,
      { prepare = false, values = [...parameters] }: RunOptions = {},
    ) {
      const name = prepare && settings.namedStatements ? toName(sql, prepare) : undefined;
      const statement = { text: sql, values, ...(name && { name }) };
      const deadline = performance.now() + settings.queryTimeoutMs;
      try {
        // Statements only read, so one that a broken connection swallowed may be sent again. Both attempts share the deadline.
        const result = await attempt(statement, deadline).catch((error) => {
          if (kindOf(error) === 'passing') return attempt(statement, deadline);
          throw error;
        });
        return result.rows as Row[];
      } catch (error) {
        const kind = kindOf(error);
        if (kind === 'timeout') throw new QueryTimeout('The statement took too long.', { cause: error });
        throw kind ? databaseUnavailable(error) : error;
      }
    },
    end: () => pool.end(),
  };
}

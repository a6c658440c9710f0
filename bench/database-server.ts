import { type PostgresServer, startPostgresServer } from '../scripts/servers/postgres-server.ts';

/** A throw-away server with enough memory for the data, as a server for a million users would have. It goes with this process. */
export async function startDatabaseServer(): Promise<PostgresServer> {
  // By what a server process has done before, glibc gives memory back after each statement or does not: up to a millisecond of page faults.
  Object.assign(process.env, { MALLOC_TRIM_THRESHOLD_: 2 ** 28, MALLOC_TOP_PAD_: 2 ** 24 });
  return startPostgresServer({ shared_buffers: '2GB', maintenance_work_mem: '1GB', max_wal_size: '8GB' });
}

import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

export type LocalDatabase = { url: string; stop: () => Promise<void> };

/**
 * PostgreSQL in WebAssembly behind a socket on loopback, for programs that have no server. One connection stands behind all clients:
 * they must not use named statements (`DATABASE_NAMED_STATEMENTS=off`) nor leave transactions open.
 */
export async function startLocalDatabase(source: { dataDir?: string; loadDataDir?: Blob }): Promise<LocalDatabase> {
  const db = await PGlite.create({ ...source, extensions: { pg_trgm } });
  const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0, maxConnections: 20 });
  await server.start();
  const port = server.getServerConn().split(':').at(-1);
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    async stop() {
      await server.stop();
      await db.close();
    },
  };
}

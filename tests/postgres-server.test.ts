import pg from 'pg';
import { beforeAll, describe, test } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../scripts/servers/postgres-server.ts';
import { canStartServer } from './setup/server.ts';

describe.skipIf(!canStartServer)('a server of the tests', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
    return () => server.remove();
  });

  test('is signalled while its sessions end', async () => {
    let isOver = false;
    const churn = async () => {
      while (!isOver) {
        const client = new pg.Client({ connectionString: server.url });
        await client.connect();
        await client.end();
      }
    };
    const sessions = Array.from({ length: 8 }, churn);
    try {
      for (let round = 0; round < 300; round += 1) {
        for (let n = 0; n < 20; n += 1) server.signal('SIGCONT');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    } finally {
      isOver = true;
      await Promise.all(sessions);
    }
  });
});

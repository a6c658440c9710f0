import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openForOperators } from '../manage/database.ts';
import { toEvent } from './setup/request.ts';
import { canStartServer, startTestServer } from './setup/server.ts';

/** Answers the event a few times in a process of its own, which says how much memory it has taken at most. */
const program = `
  console.log = () => {};
  const { handler } = await import(process.argv[1]);
  let result;
  for (let time = 0; time < 3; time += 1) result = await handler(JSON.parse(process.argv[2]));
  process.stdout.write(JSON.stringify({ status: result.statusCode, peakMb: process.resourceUsage().maxRSS / 1024 }));
  process.exit();
`;

test.skipIf(!canStartServer)(
  'an export of 10,000 users in 100 groups each leaves a quarter of the memory of the function free',
  async () => {
    const server = await startTestServer();
    const db = openForOperators(server.url);
    await sql`insert into users (username, is_staff, email)
      select 'many' || n, true, 'many' || n || '@example.com' from generate_series(1, 9993) n`.execute(db);
    await sql`insert into groups (id, name) select n, 'Group number ' || n from generate_series(11, 110) n`.execute(db);
    await sql`insert into user_groups select users.id, groups.id from users, groups where groups.id > 10`.execute(db);
    await sql`vacuum analyze`.execute(db);
    await db.destroy();
    const event = toEvent({ query: 'format=csv', headers: { 'accept-encoding': 'gzip' } });
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', program, resolve('handlers/users.ts'), JSON.stringify(event)],
      { encoding: 'utf8', env: { DATABASE_URL: server.url, QUERY_TIMEOUT_MS: '12000' } },
    );
    await server.remove();
    const { status, peakMb } = JSON.parse(stdout || JSON.stringify({ stderr }));
    const [, memoryMb] = readFileSync('serverless.yml', 'utf8').match(/^ {2}memorySize: (\d+)$/m) ?? [];
    expect(status, stderr).toBe(200);
    // Some 80 MB of it are the types that Node.js strips here; the bundle has none.
    expect(peakMb).toBeLessThan(Number(memoryMb) * 0.75);
  },
);

import { openAsBlob } from 'node:fs';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { afterAll, inject, onTestFinished } from 'vitest';
import type { Database } from '../../lib/database/tables.ts';
import { openForOperators } from '../../manage/database.ts';
import { startLocalDatabase } from '../../scripts/servers/local-database.ts';

export type TestDatabase = {
  url: string;
  /** For the test's own reading and writing. */
  db: Kysely<Database>;
};

/** Whether a real server stands behind the tests: what PGlite cannot show is skipped without one. */
export const hasServer = 'serverUrl' in inject('template');

/** What the file's databases leave to be done. Vitest does not run an `afterAll` that a hook registers. */
const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

/** A migrated database of the test file's own, with the people of `people.ts` in it. It goes with the file. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const template = inject('template');
  if ('serverUrl' in template) return createOnServer(template.serverUrl, sql`template ${sql.id(template.database)}`);
  const local = await startLocalDatabase({ loadDataDir: await openAsBlob(template.dumpFile) });
  const db = openForOperators(local.url);
  closers.push(async () => {
    await db.destroy();
    await local.stop();
  });
  return { url: local.url, db };
}

/** A database of the test file's own on the server, empty. `options` are those of `create database`. */
export async function openEmptyDatabase(options: string): Promise<TestDatabase> {
  const template = inject('template');
  if (!('serverUrl' in template)) throw new Error('There is no server.');
  return createOnServer(template.serverUrl, sql.raw(`template template0 ${options}`));
}

async function createOnServer(serverUrl: string, options: RawBuilder<unknown>): Promise<TestDatabase> {
  const name = `users_api_test_${crypto.randomUUID().replaceAll('-', '_')}`;
  const admin = openForOperators(serverUrl);
  closers.push(() => admin.destroy());
  await sql`create database ${sql.id(name)} ${options}`.execute(admin);
  const url = new URL(serverUrl);
  url.pathname = name;
  const db = openForOperators(url.href);
  closers.unshift(async () => {
    await db.destroy();
    await sql`drop database ${sql.id(name)} with (force)`.execute(admin);
  });
  return { url: url.href, db };
}

/** Until the end of the test, for new connections to a server, and for PGlite's only one. */
export async function setForDatabase(db: Kysely<Database>, name: string, value: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  const database = sql.id(rows[0]?.name ?? '');
  const setting = sql.raw(name);
  onTestFinished(async () => {
    await sql`alter database ${database} reset ${setting}`.execute(db);
    if (!hasServer) await sql`reset ${setting}`.execute(db);
  });
  await sql`alter database ${database} set ${setting} to ${sql.lit(value)}`.execute(db);
  if (!hasServer) await sql`set ${setting} to ${sql.lit(value)}`.execute(db);
}

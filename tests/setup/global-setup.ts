import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import type { TestProject } from 'vitest/node';
import { runCommand } from '../../manage/commands.ts';
import { openForOperators } from '../../manage/database.ts';
import { startLocalDatabase } from '../../scripts/servers/local-database.ts';
import { writePeople } from './people.ts';

/** What each test file makes its own database from: a template on a real server, or a dump that PGlite loads. */
export type TestTemplate = { serverUrl: string; database: string } | { dumpFile: string };

declare module 'vitest' {
  export interface ProvidedContext {
    template: TestTemplate;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const serverUrl = process.env['TEST_DATABASE_URL'];
  return serverUrl ? setupServer(project, serverUrl) : setupPglite(project);
}

async function setupServer(project: TestProject, serverUrl: string) {
  const database = `users_api_template_${process.pid}`;
  const { sql } = await import('kysely');
  const admin = openForOperators(serverUrl);
  await sql`create database ${sql.id(database)}`.execute(admin);
  const url = new URL(serverUrl);
  url.pathname = database;
  await fill(url.href);
  project.provide('template', { serverUrl, database });
  return async () => {
    await sql`drop database ${sql.id(database)}`.execute(admin);
    await admin.destroy();
  };
}

async function setupPglite(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), 'users-api-tests-'));
  const dataDir = join(folder, 'data');
  const local = await startLocalDatabase({ dataDir });
  await fill(local.url);
  await local.stop();
  const template = await PGlite.create({ dataDir, extensions: { pg_trgm } });
  const dumpFile = join(folder, 'dump.tar');
  writeFileSync(dumpFile, Buffer.from(await (await template.dumpDataDir('none')).arrayBuffer()));
  await template.close();
  project.provide('template', { dumpFile });
  return async () => rmSync(folder, { recursive: true, force: true });
}

async function fill(url: string): Promise<void> {
  const db = openForOperators(url);
  await runCommand(db, ['migrate']);
  await writePeople(db);
  await db.destroy();
}

import { type Kysely, sql } from 'kysely';
import { expect, onTestFinished } from 'vitest';
import type { Database } from '../../lib/database/tables.ts';
import { runCommand } from '../../manage/commands.ts';
import { openForOperators } from '../../manage/database.ts';
import type { PostgresServer } from '../../scripts/servers/postgres-server.ts';
import { loadHandler, send } from './request.ts';
import { urlWith } from './server.ts';

/** A database, by its superuser's connection, its owner's URL, and the URL of the role that the API is to have. */
export type Place = {
  superuser: Kysely<Database>;
  ownerUrl: string;
  reader: string;
  readerUrl: string;
  /** `grant select on users to reader_name`, with this place's names. */
  fill: (statement: string) => string;
  /** Runs such statements as the superuser. */
  run: (...statements: string[]) => Promise<void>;
};

let places = 0;

/** An operator's connection until the end of the test. */
export function open(url: string): Kysely<Database> {
  const db = openForOperators(url);
  onTestFinished(() => db.destroy());
  return db;
}

/**
 * An empty database of the test's own, whose owner is no superuser but may make roles; then the superuser prepares it. In the statements
 * `owner_name`, `reader_name`, `other_name` and `database_name` stand for names that no other test has.
 */
export async function openPlace(server: PostgresServer, ...statements: string[]): Promise<Place> {
  places += 1;
  const number = places;
  const fill = (statement: string) => statement.replaceAll(/\b(owner|reader|other|database)_name\b/g, `$1_${number}`);
  const admin = open(server.url);
  await sql.raw(fill('create role owner_name login createrole')).execute(admin);
  await sql.raw(fill('create database database_name owner owner_name')).execute(admin);
  const url = urlWith(server.url, { database: fill('database_name') });
  const superuser = open(url);
  const run = async (...texts: string[]) => {
    for (const text of texts) await sql.raw(fill(text)).execute(superuser);
  };
  await run(...statements);
  const ownerUrl = urlWith(url, { username: fill('owner_name') });
  const reader = fill('reader_name');
  return { superuser, ownerUrl, reader, readerUrl: urlWith(url, { username: reader }), fill, run };
}

/** From nothing to an answer, by the URLs of the owner and of the reader alone. Returns the usernames that it lists. */
export async function listAfterSetup({ ownerUrl, reader, readerUrl }: Place, query = ''): Promise<string[]> {
  const db = open(ownerUrl);
  await runCommand(db, ['migrate']);
  await runCommand(db, ['create-user', 'ann', '--admin']);
  await runCommand(db, ['create-user', 'bob', '--staff']);
  const [key = ''] = await runCommand(db, ['issue-token', 'ann']);
  await runCommand(db, ['create-reader', reader]);
  const { status, text, json } = await send(await loadHandler(readerUrl), { query, key });
  expect(status, text).toBe(200);
  return json().results.map(({ username }) => username);
}

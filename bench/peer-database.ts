import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { openForOperators } from '../manage/database.ts';
import { type Dataset, toDatabase, withDatabase } from './datasets.ts';

/**
 * The URL of a copy of the data set that has the peer's indexes in place of ours: in one database, each would be planned with the other's.
 * Nobody may be connected to the data set when it is copied.
 */
export async function providePeer(serverUrl: string, dataset: Dataset): Promise<string> {
  const database = `${toDatabase(dataset)}_peer`;
  const unfinished = `${database}_unfinished`;
  const server = openForOperators(serverUrl);
  const { rows } = await sql`select from pg_database where datname = ${database}`.execute(server);
  if (rows.length === 0) {
    await sql`create database ${sql.id(unfinished)} template ${sql.id(toDatabase(dataset))}`.execute(server);
    await exchangeIndexes(withDatabase(serverUrl, unfinished).href);
    await sql`alter database ${sql.id(unfinished)} rename to ${sql.id(database)}`.execute(server);
  }
  await server.destroy();
  return withDatabase(serverUrl, database).href;
}

async function exchangeIndexes(url: string): Promise<void> {
  const db = openForOperators(url);
  // Those of the listing columns. The others serve foreign keys and presence: a Django project would have them.
  const { rows } = await sql<{ indexname: string }>`
    select indexname from pg_indexes where tablename = 'users' and indexdef ~ 'list_|search_text'`.execute(db);
  for (const { indexname } of rows) await sql`drop index ${sql.id(indexname)}`.execute(db);
  await sql.raw(readFileSync(`${import.meta.dirname}/peer/indexes.sql`, 'utf8')).execute(db);
  await sql`vacuum analyze`.execute(db);
  await db.destroy();
}

import { sql } from 'kysely';
import pg from 'pg';
import { openForOperators } from '../manage/database.ts';
import { type Dataset, toDatabase, withDatabase } from './datasets.ts';
import { measure, runsWithin, type Times } from './measure.ts';

/** Ways to know how many are listed, as they are made in a copy of a migrated database. */
const ways = {
  'not kept':
    'drop trigger count_inserted on users; drop trigger count_deleted on users; drop trigger count_updated on users',
  'kept in rows that add up': '',
  // What one would write first: all who write staff wait for each other, until the first of them commits.
  'kept in one row': `
    create or replace function count_listed() returns trigger language plpgsql as $$
    declare change integer;
    begin
      if tg_op = 'UPDATE' then
        change := case when new.list_flags is null then -1 else 1 end;
      else
        select count(*) * case tg_op when 'DELETE' then -1 else 1 end into change from written where list_flags is not null;
      end if;
      if change <> 0 then update listed_counts set count = count + change; end if;
      return null;
    end $$`,
};

export type Way = keyof typeof ways;

/** What those who write users do; `n` is another number at each call. */
const writes: Record<string, (n: number) => string> = {
  'a customer signs up': (n) => `insert into users (username) values ('customer ${n}')`,
  'a customer signs in': (n) => `update users set last_login = now() where id = ${1 + ((n * 10 + 1) % 20_000)}`,
  'one of the staff is added': (n) => `insert into users (username, is_staff) values ('staff ${n}', true)`,
  'a user becomes staff, or ceases to be': (n) =>
    `update users set is_staff = not is_staff where id = ${1 + (n % 20_000)}`,
  '5,000 of the staff are loaded': (n) =>
    `insert into users (username, is_staff) select 'load ${n} ' || m, true from generate_series(1, 5000) m`,
};

const openForAWhile = (n: number) =>
  `begin; insert into users (username, is_staff) values ('open ${n}', true); select pg_sleep(0.02); commit`;

export type Writers = { kind: string; times: Record<Way, Times> }[];

/** A statement each, committed, in copies of the data set that go with the measurement. */
export async function measureWriters(serverUrl: string, dataset: Dataset, millisecondsEach: number): Promise<Writers> {
  const server = openForOperators(serverUrl);
  const copies: { way: string; database: string; clients: [pg.Client, pg.Client] }[] = [];
  for (const [index, [way, change]] of Object.entries(ways).entries()) {
    const database = `users_api_bench_writers_${index}`;
    await sql`drop database if exists ${sql.id(database)} with (force)`.execute(server);
    await sql`create database ${sql.id(database)} template ${sql.id(toDatabase(dataset))}`.execute(server);
    const clients: [pg.Client, pg.Client] = [toClient(serverUrl, database), toClient(serverUrl, database)];
    for (const client of clients) await client.connect();
    if (change) await clients[0].query(change);
    copies.push({ way, database, clients });
  }
  let n = 0;
  const measureWrite = async (kind: string, write: (clients: [pg.Client, pg.Client]) => Promise<unknown>) => {
    const contestants = Object.fromEntries(copies.map(({ way, clients }) => [way, () => write(clients)]));
    const runs = await runsWithin(millisecondsEach, () => write(copies[0]?.clients as [pg.Client, pg.Client]));
    return { kind, times: (await measure(contestants, runs)) as Record<Way, Times> };
  };
  const results: Writers = [];
  for (const [kind, toSql] of Object.entries(writes)) {
    results.push(await measureWrite(kind, ([client]) => client.query(toSql(++n))));
  }
  results.push(
    await measureWrite('two at once add one of the staff, in transactions of 20 ms', (clients) =>
      Promise.all(clients.map((client) => client.query(openForAWhile(++n)))),
    ),
  );
  for (const { database, clients } of copies) {
    for (const client of clients) await client.end();
    await sql`drop database ${sql.id(database)}`.execute(server);
  }
  await server.destroy();
  return results;
}

const toClient = (serverUrl: string, database: string) =>
  new pg.Client({ connectionString: withDatabase(serverUrl, database).href });

import { sql } from 'kysely';
import { hashKey } from '../lib/auth.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';

/** `listed` of `users` users are staff or admins; the same numbers give the same rows. */
export type Dataset = { name: string; users: number; listed: number };

export const datasets = {
  small200: { name: 'small200', users: 2_000, listed: 200 },
  small2k: { name: 'small2k', users: 20_000, listed: 2_000 },
  A: { name: 'a', users: 1_000_000, listed: 20_000 },
  B: { name: 'b', users: 10_000_000, listed: 500_000 },
  C: { name: 'c', users: 1_000_000, listed: 1_000_000 },
} satisfies Record<string, Dataset>;

/** The admin's who asks; of a bench database only. */
export const benchKey = 'bench';

/** The URL of the data set's database on this server; it is made when it is not there. */
export async function provide(serverUrl: string, { name, users, listed }: Dataset): Promise<string> {
  const database = `users_api_bench_${name}`;
  const url = new URL(serverUrl);
  url.pathname = database;
  const server = openForOperators(serverUrl);
  const { rows } = await sql`select from pg_database where datname = ${database}`.execute(server);
  if (rows.length === 0) {
    process.stderr.write(`making data set ${name}: ${users} users, ${listed} listed …\n`);
    await sql`create database ${sql.id(`${database}_unfinished`)}`.execute(server);
    const unfinished = new URL(url);
    unfinished.pathname = `${database}_unfinished`;
    await fill(unfinished.href, users, Math.round(users / listed));
    await sql`alter database ${sql.id(`${database}_unfinished`)} rename to ${sql.id(database)}`.execute(server);
  }
  await server.destroy();
  return url.href;
}

/** Every `nth` user is listed. Multiplications by primes scatter what is not to follow the id. */
async function fill(url: string, users: number, nth: number): Promise<void> {
  const db = openForOperators(url);
  await runCommand(db, ['migrate']);
  // Row by row the trigram index takes ten times as long as built at once.
  const { rows } = await sql<{ indexdef: string }>`
    select indexdef from pg_indexes where indexname = 'users_search_trgm'`.execute(db);
  await sql`drop index users_search_trgm`.execute(db);
  await sql`
    insert into users (username, mobile_number, email, is_email_verified, avatar, first_name, last_name, gender, invited_by_id, is_active,
                       is_staff, is_admin, is_customer, is_profile_completed, last_login, created_at, updated_at)
    select 'user' || lpad((n::bigint * 7919 % 100000007)::text, 9, '0'),
           case when n % 10 < 9 then '09' || lpad((n::bigint * 104729 % 1000000007)::text, 10, '0') end,
           case when n % 5 < 4 then 'user' || n || '@' || (array['example.com', 'example.org', 'mail.example.net'])[1 + n % 3] end,
           n % 3 = 0,
           case when n % 4 = 0 then 'avatars/' || n || '.png' end,
           (array['Ann', 'Bob', 'علی', 'Zoë', 'José', 'İpek', 'Søren', 'Maria', 'زهرا', 'Wei'])[1 + n * 31 % 10],
           (array['Smith', 'Çelik', 'کریمی', 'Núñez', 'Müller', 'O''Neil', 'Rossi', 'Ivanov', 'Wang', 'Şahin', 'Dubois'])[1 + n * 37 % 11],
           (array['male', 'female', 'other', null])[1 + n * 41 % 4],
           case when n > 100 and n % 3 = 0 then 1 + n::bigint * 7919 % (n - 1) end,
           n % 21 <> 0,
           n % ${sql.lit(nth)} = 0 and n % (${sql.lit(nth)} * 50) <> 0,
           n % (${sql.lit(nth)} * 50) = 0,
           n % ${sql.lit(nth)} <> 0 or n % 7 = 0,
           n % 2 = 0,
           case when n % 8 <> 0 then timestamptz '2024-01-01Z' + make_interval(secs => n::bigint * 6700417 % 60000000) end,
           timestamptz '2022-01-01Z' + make_interval(secs => n::bigint * 15485863 % 100000000),
           timestamptz '2023-01-01Z' + make_interval(secs => n::bigint * 32452843 % 80000000)
    from generate_series(1, ${sql.lit(users)}) n`.execute(db);
  await sql.raw(rows[0]?.indexdef ?? '').execute(db);
  await sql`insert into groups (name) select 'Group ' || n from generate_series(1, 50) n`.execute(db);
  await sql`
    insert into user_groups (user_id, group_id)
    select distinct id, 1 + (id * k * 13) % 50 from users, generate_series(1, 2) k where list_flags is not null and id % 3 > 0`.execute(
    db,
  );
  await sql`
    insert into user_presence select id, case when id % 41 = 0 then 'infinity' else timestamptz '2026-01-01Z' end
    from users where id % 4 = 0`.execute(db);
  await sql`
    insert into auth_tokens (token_hash, user_id) select sha256(('key' || id)::bytea), id from users where id % 11 = 0`.execute(
    db,
  );
  await sql`
    insert into auth_tokens (token_hash, user_id)
    select ${hashKey(benchKey)}, id from users where is_admin order by id limit 1`.execute(db);
  await sql`vacuum analyze`.execute(db);
  await db.destroy();
}

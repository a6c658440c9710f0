import { sql } from 'kysely';
import { hashKey } from '../lib/auth.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';

/** `listed` of `users` users are staff or admins; the same numbers give the same rows. */
export type Dataset = { name: string; users: number; listed: number };

export const datasets = {
  small200: { name: 'small200', users: 2_000, listed: 200 },
  small2k: { name: 'small2k', users: 100_000, listed: 2_000 },
  A: { name: 'a', users: 1_000_000, listed: 20_000 },
  B: { name: 'b', users: 10_000_000, listed: 500_000 },
  C: { name: 'c', users: 1_000_000, listed: 1_000_000 },
} satisfies Record<string, Dataset>;

/** The admin's who asks; of a bench database only. */
export const benchKey = 'bench';

/** The role that `create-reader` makes, for its limits and permissions are what is deployed. */
const reader = 'users_api_bench';

/** The URLs of the data sets' databases on this server, as the API's role; what is not there is made. */
export async function provide(serverUrl: string, wanted: Dataset[]): Promise<string[]> {
  const server = openForOperators(serverUrl);
  const urls: URL[] = [];
  let password = '';
  for (const dataset of wanted) {
    const database = toDatabase(dataset);
    const { rows } = await sql`select from pg_database where datname = ${database}`.execute(server);
    if (rows.length === 0) {
      const { name, users, listed } = dataset;
      process.stderr.write(`making data set ${name}: ${users} users, ${listed} listed …\n`);
      await sql`create database ${sql.id(`${database}_unfinished`)}`.execute(server);
      await fill(withDatabase(serverUrl, `${database}_unfinished`).href, users, Math.round(users / listed));
      await sql`alter database ${sql.id(`${database}_unfinished`)} rename to ${sql.id(database)}`.execute(server);
    }
    const url = withDatabase(serverUrl, database);
    const db = openForOperators(url.href);
    const lines = await runCommand(db, ['create-reader', reader, ...(password === '' ? ['--new-password'] : [])]);
    await db.destroy();
    password ||= lines.at(-1)?.replace('password: ', '') ?? '';
    urls.push(url);
  }
  await server.destroy();
  return urls.map((url) => Object.assign(url, { username: reader, password }).href);
}

/** Its name on the server. */
export const toDatabase = ({ name }: Dataset): string => `users_api_bench_${name}`;

/** The URL of another database of the server. */
export function withDatabase(serverUrl: string, database: string): URL {
  const url = new URL(serverUrl);
  url.pathname = database;
  return url;
}

/** Every `nth` user is listed. Hashes and multiplications by primes scatter what is not to follow the id. */
async function fill(url: string, users: number, nth: number): Promise<void> {
  let draws = 0;
  // A number below `of` for row n, another at each call.
  const draw = (of: number) => sql`((hashint8extended(n, ${sql.lit(draws++)}) & 2147483647) % ${sql.lit(of)})::int`;
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
           case when ${draw(10)} < 9 then '09' || lpad((n::bigint * 104729 % 1000000007)::text, 10, '0') end,
           case when ${draw(5)} < 4 then 'user' || n || '@' || (array['example.com', 'example.org', 'mail.example.net'])[1 + ${draw(3)}] end,
           ${draw(3)} = 0,
           case when ${draw(4)} = 0 then 'avatars/' || n || '.png' end,
           case when ${draw(21)} = 0 then 'Alina'
             else (array['Ann', 'Bob', 'علی', 'Zoë', 'José', 'İpek', 'Søren', 'Maria', 'زهرا', 'Wei', null])[1 + ${draw(11)}] end,
           (array['Smith', 'Çelik', 'کریمی', 'Núñez', 'Müller', 'O''Neil', 'Rossi', 'Ivanov', 'Wang', 'Şahin', null])[1 + ${draw(11)}],
           (array['male', 'female', 'other', null])[1 + ${draw(4)}],
           case when n > 100 and ${draw(3)} = 0 then 1 + ${draw(1_000_003)} % (n - 1) end,
           ${draw(21)} <> 0,
           n % ${sql.lit(nth)} = 0 and n % (${sql.lit(nth)} * 50) <> 0,
           n % (${sql.lit(nth)} * 50) = 0,
           n % ${sql.lit(nth)} <> 0 or ${draw(7)} = 0,
           ${draw(2)} = 0,
           case when ${draw(8)} <> 0 then timestamptz '2024-01-01Z' + make_interval(secs => n::bigint * 6700417 % 60000000) end,
           timestamptz '2022-01-01Z' + make_interval(secs => n::bigint * 15485863 % 100000000),
           timestamptz '2023-01-01Z' + make_interval(secs => n::bigint * 32452843 % 80000000)
    from generate_series(1, ${sql.lit(users)}) n`.execute(db);
  await sql.raw(rows[0]?.indexdef ?? '').execute(db);
  await sql`insert into groups (name) select 'Group ' || n from generate_series(1, 50) n`.execute(db);
  await sql`
    insert into user_groups (user_id, group_id)
    select id, 1 + (hashint8extended(id, k) & 2147483647) % 50 from users, generate_series(1, 2) k where list_flags is not null and id % 3 > 0
    union -- two that are large
    select id, k from users, generate_series(4, 5) k where list_flags is not null and (hashint8extended(id, k) & 2147483647) % 5 = 0`.execute(
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

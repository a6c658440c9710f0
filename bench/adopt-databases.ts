import { sql } from 'kysely';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { benchKey } from './datasets.ts';

export async function withOperator<Result>(
  url: string,
  run: (db: ReturnType<typeof openForOperators>) => Promise<Result>,
) {
  const db = openForOperators(url);
  return run(db).finally(() => db.destroy());
}

/** What a Django application has, as many as that: every 50th of staff, a third with a token, the first an admin. */
export function fillDjango(url: string, users: number): Promise<void> {
  return withOperator(url, async (db) => {
    await sql`
      insert into accounts_user (
        password, last_login, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined, phone, is_email_verified,
        avatar, gender, is_customer, is_profile_completed, last_seen, updated_at)
      select 'pbkdf2_sha256$260000$' || md5(n::text) || md5((n + 1)::text),
        case when n % 4 > 0 then timestamptz '2026-02-01Z' - n * interval '37 s' end, n = 1, 'user' || n,
        (array['Ali', 'Sara', 'Reza', 'Zoë', 'Kevin', 'Masimo', 'Maryam'])[1 + n % 7],
        (array['Keegan', 'Moratti', 'Karimi', 'Núñez', 'Dyk', 'Ahmadi', 'Smith', 'Jones', 'Brown', 'Rezaei', 'Hosseini'])[1 + n % 11],
        'user' || n || '@example.com', n % 50 = 1, n % 9 > 0, timestamptz '2020-01-01Z' + n * interval '3 min', '09' || lpad(n::text, 9, '0'),
        n % 2 = 0, case when n % 3 = 0 then 'avatars/' || n || '.png' end, (array['M', 'F', 'O', null])[1 + n % 4], n % 50 <> 1, n % 5 > 0,
        case when n % 3 = 0 then timestamptz '2026-02-01Z' end, timestamptz '2025-01-01Z' + n * interval '10 s'
      from generate_series(1, ${sql.lit(users)}) n`.execute(db);
    await sql`update accounts_user set invited_by_id = 1 + id % 10000 where id % 3 = 0`.execute(db);
    await sql`insert into auth_group (name) select 'Group ' || n from generate_series(1, 20) n`.execute(db);
    await sql`
      insert into accounts_user_groups (user_id, group_id)
      select id, 1 + (id / 50) % 20 from accounts_user where is_staff union select id, 1 + (id / 70) % 20 from accounts_user where is_staff`.execute(
      db,
    );
    await sql`
      insert into authtoken_token (key, user_id, created)
      select case when id = 1 then ${benchKey} else left(md5(id::text) || md5((id + 1)::text), 40) end, id, now()
      from accounts_user where id % 3 = 1`.execute(db);
    await sql`vacuum (analyze)`.execute(db);
  });
}

/** The same users, in the tables that the API makes by itself. */
export function toOwnTables(url: string): Promise<void> {
  return withOperator(url, async (db) => {
    await sql`drop table django_migrations`.execute(db);
    await runCommand(db, ['migrate']);
    await sql`
      insert into users (
        id, username, mobile_number, email, is_email_verified, avatar, first_name, last_name, gender, invited_by_id, is_active, is_staff,
        is_admin, is_customer, is_profile_completed, last_login, created_at, updated_at)
      select id, username, phone, nullif(email, ''), is_email_verified, avatar, first_name, last_name,
        case gender when 'M' then 'male' when 'F' then 'female' when 'O' then 'other' end, invited_by_id, is_active, is_staff, is_superuser,
        is_customer, is_profile_completed, last_login, date_joined, updated_at
      from accounts_user order by id`.execute(db);
    await sql`insert into groups select id, name from auth_group`.execute(db);
    await sql`insert into user_groups select user_id, group_id from accounts_user_groups`.execute(db);
    await sql`insert into auth_tokens (token_hash, user_id) select sha256(key::bytea), user_id from authtoken_token`.execute(
      db,
    );
    await sql`insert into user_presence select id, last_seen from accounts_user where last_seen is not null`.execute(
      db,
    );
    await sql`drop table accounts_user cascade`.execute(db);
    await sql`vacuum (analyze)`.execute(db);
  });
}

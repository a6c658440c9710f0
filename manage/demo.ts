import { type Insertable, type Kysely, sql } from 'kysely';
import { hashKey } from '../lib/auth.ts';
import type { Database } from '../lib/database/tables.ts';

type NewUser = Insertable<Database['users']>;

/** The key of the documentation's example request; it is user 1's, an admin. Public, so for demo data only. */
export const demoKey = 'f4e75eab6e0f663a972d145478d6fc4b81762070';

/** The two users of the documentation's example response, field by field. */
const documented: NewUser[] = [
  {
    id: 1,
    username: 'keegan2255',
    mobile_number: '09150207211',
    email: 'kevin@arsenal.com',
    is_email_verified: true,
    first_name: 'kevin',
    last_name: 'keegan',
    gender: 'male',
    invite_code: 'egiZXBO',
    is_admin: true,
    is_customer: false,
    is_profile_completed: true,
    last_login: '2026-02-21T07:13:37.888614Z',
    created_at: '2026-02-21T07:03:21.109234Z',
    updated_at: '2026-02-21T07:03:53.350540Z',
  },
  {
    id: 2,
    username: 'moratti120',
    mobile_number: '09150207212',
    email: 'masimo@intermilan.com',
    first_name: 'masimo',
    last_name: 'moratti',
    gender: 'male',
    invited_by_id: 1,
    is_staff: true,
    is_customer: false,
    is_profile_completed: true,
    last_login: '2026-02-21T07:20:25.338627Z',
    created_at: '2026-02-21T07:20:25.859632Z',
    updated_at: '2026-02-21T07:20:25.859657Z',
  },
];

/** Names that a program may stumble over: [first, last]. */
const names: [string | null, string | null][] = [
  ['علی', 'رضایی'],
  ['علي', 'كريمي'],
  ['زهرا', 'محمدی‌نژاد'],
  ['İpek', 'Çelik'],
  ['Ilgın', 'Şahin'],
  ['Zoë', "O'Brien"],
  ['José', 'Núñez'],
  ['Søren', 'Ångström'],
  ['Jean-Luc', 'd’Arc'],
  ['Robert"); DROP TABLE users;--', 'Tables'],
  ['100%', 'under_score'],
  ['back\\slash', '"quoted"'],
  ['comma, inside', '<b>bold</b>'],
  ['😀', '👩‍👩‍👧‍👦'],
  ['ﬁnn', 'Ｆｕｌｌｗｉｄｔｈ'],
  ['Владимир', 'Иванов'],
  ['Γιώργος', 'Παπαδόπουλος'],
  ['田中', '太郎'],
  ['', ''],
  [null, null],
  ['Mononym', null],
  [null, 'Lastonly'],
  ['  spaced  ', ' out '],
  ['a', 'b'],
];

const groupNames = ['Support', 'Finance', 'Content, "quoted"', 'پشتیبانی', 'Empty'];

/** Writes the demo data, all or nothing, and only into a database without users. Returns the number of users written. */
export async function seedDemo(db: Kysely<Database>): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const someone = await trx.selectFrom('users').select('id').limit(1).executeTakeFirst();
    if (someone) return 0;
    const users = [...documented, ...Array.from({ length: 66 }, (_, index) => toDemoUser(index + 3))];
    await trx.insertInto('users').values(users).execute();
    // The ids were given, so the identity has to learn of them.
    await sql`select setval(pg_get_serial_sequence('users', 'id'), (select max(id) from users))`.execute(trx);
    await seedGroups(trx);
    await trx
      .insertInto('auth_tokens')
      .values({ token_hash: hashKey(demoKey), user_id: 1, expires_at: null })
      .execute();
    await trx
      .insertInto('user_presence')
      .values([
        { user_id: 2, last_seen_at: 'infinity' }, // online in the documentation, so online whenever one looks
        { user_id: 4, last_seen_at: sql`now()` },
        { user_id: 5, last_seen_at: sql`now() - interval '1 hour'` },
      ])
      .execute();
    return users.length;
  });
}

function toDemoUser(id: number): NewUser {
  const [first_name = null, last_name = null] = names[id % names.length] ?? [];
  const isCustomer = id % 7 === 0;
  const created = new Date(Date.UTC(2026, 1, 22 + id, id % 24, id % 60)).toISOString();
  return {
    id,
    username: `${['sam', 'kim', 'alex', 'noor'][id % 4]}${id}`,
    mobile_number: id % 5 === 0 ? null : `0915${String(1_000_000 + id * 7919)}`,
    email: id % 6 === 0 ? null : `user${id}@example.com`,
    is_email_verified: id % 3 === 0,
    avatar:
      [null, `avatars/${id}.png`, 'avatars/a b/ü #1?.png', `https://cdn.example.com/${id}.jpg`, ''][id % 5] ?? null,
    first_name,
    last_name,
    gender: (['male', 'female', 'other', null] as const)[id % 4] ?? null,
    invited_by_id: id > 9 && id % 3 === 0 ? 3 : null,
    invite_code: id % 4 === 0 ? `INV${id}` : null,
    is_active: id % 11 !== 0,
    is_staff: !isCustomer && id % 10 !== 0,
    is_admin: !isCustomer && id % 10 === 0,
    is_customer: isCustomer || id % 13 === 0,
    is_profile_completed: id % 2 === 0,
    last_login: id % 8 === 0 ? null : created,
    created_at: created, // midnight now and then, and never with microseconds
    updated_at: created,
  };
}

async function seedGroups(db: Kysely<Database>): Promise<void> {
  const groups = await db
    .insertInto('groups')
    .values(groupNames.map((name) => ({ name })))
    .returning('id')
    .execute();
  const ids = groups.map(({ id }) => id).slice(0, -1);
  const memberships = ids.flatMap((group_id, index) =>
    Array.from({ length: 66 }, (_, user) => user + 3)
      .filter((user_id) => user_id % (index + 2) === 0)
      .map((user_id) => ({ user_id, group_id })),
  );
  await db.insertInto('user_groups').values(memberships).execute();
  await db
    .insertInto('group_permissions')
    .values({ group_id: ids[0] as number, permission_code: 1222 })
    .execute();
}

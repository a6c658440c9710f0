import { type Insertable, type Kysely, sql } from 'kysely';
import { hashKey } from '../../lib/auth.ts';
import type { Database } from '../../lib/database/tables.ts';

type Person = Insertable<Database['users']> & { id: number };

/**
 * The cast of the tests. Seven are listed; cy is a customer and must never appear, whatever is asked.
 * ann: admin, everything filled in. bob: inactive staff, nothing filled in. cat: staff with 1222 of her own, and a customer as well.
 * dan: staff with 1222 through group 2, never logged in. eve: staff without 1222. fay, gus: awkward names and times.
 */
export const people = {
  ann: {
    id: 1,
    username: 'ann',
    mobile_number: '09150000001',
    email: 'ann@example.com',
    is_email_verified: true,
    avatar: 'avatars/1 ü.png',
    first_name: 'Ann',
    last_name: 'Çelik',
    gender: 'female',
    invite_code: 'ANN1',
    is_admin: true,
    is_customer: false,
    is_profile_completed: true,
    last_login: '2026-02-21T07:20:25.338627Z',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-03-01T12:00:00Z',
  },
  bob: {
    id: 2,
    username: 'bob',
    email: '',
    avatar: '',
    first_name: '',
    last_name: '',
    is_active: false,
    is_staff: true,
    is_customer: false,
    invited_by_id: 1,
    last_login: '2026-02-20T23:59:59.999999Z',
    created_at: '2026-01-01T23:59:59.999999Z',
    updated_at: '2026-03-02T00:00:00Z',
  },
  cat: {
    id: 3,
    username: 'cat',
    mobile_number: '+98 915 333',
    email: 'Cat_50%@example.com',
    avatar: 'https://cdn.example.com/cat.png?v=1',
    first_name: 'علی',
    last_name: 'كريمي',
    gender: 'other',
    is_staff: true,
    is_customer: true,
    is_profile_completed: true,
    invited_by_id: 8,
    last_login: '2026-02-21T00:00:00Z',
    created_at: '2026-01-02T00:00:00Z',
    updated_at: '2026-03-02T23:59:59.999999Z',
  },
  dan: {
    id: 4,
    username: 'dan',
    mobile_number: '۰۹۱۵۴۴۴',
    first_name: 'Ilgın',
    gender: 'male',
    is_staff: true,
    is_customer: false,
    created_at: '2026-01-02T10:00:00.000001Z',
    updated_at: '2026-03-03T00:00:00Z',
  },
  eve: {
    id: 5,
    username: 'eve',
    email: 'eve@example.org',
    last_name: 'O\'Neil, "Evie"',
    gender: 'female',
    is_staff: true,
    is_admin: false,
    is_customer: false,
    last_login: '2026-02-22T00:00:00Z',
    created_at: '2026-01-03T00:00:00Z',
    updated_at: '2026-03-03T00:00:00Z',
  },
  fay: {
    id: 6,
    username: 'fay_x',
    first_name: '😀 Fay\\',
    last_name: 'van  Dyk',
    is_staff: true,
    is_admin: true,
    is_customer: false,
    last_login: '2026-02-22T00:00:00Z',
    created_at: '2026-01-03T00:00:00Z',
    updated_at: '2026-03-04T00:00:00Z',
  },
  gus: {
    id: 7,
    username: 'gus',
    email: 'gus@example.com',
    first_name: 'ﬁnn',
    last_name: 'Ｗｉｄｅ',
    gender: 'male',
    is_staff: true,
    is_customer: false,
    created_at: '2026-01-04T12:34:56.7Z',
    updated_at: '2026-03-05T00:00:00Z',
  },
  cy: {
    id: 8,
    username: 'cy',
    mobile_number: '09150000008',
    email: 'cy@example.com',
    avatar: 'avatars/8.png',
    first_name: 'Cy',
    last_name: 'Customer',
    gender: 'male',
    invited_by_id: 1,
    is_customer: true,
    is_profile_completed: true,
    last_login: '2026-02-21T07:20:25Z',
    created_at: '2026-01-02T00:00:00Z',
    updated_at: '2026-03-02T00:00:00Z',
  },
} satisfies Record<string, Person>;

export type Name = keyof typeof people;

/** Everybody whom the list may show, newest first. */
export const listed: Name[] = ['gus', 'fay', 'eve', 'dan', 'cat', 'bob', 'ann'];

/** Keys of tokens; `expired` is ann's, `soon` expires in an hour and is gus's, fay has none. */
export const keys = {
  ann: 'key-of-ann',
  bob: 'key-of-bob',
  cat: 'key-of-cat',
  dan: 'key-of-dan',
  eve: 'key-of-eve',
  cy: 'key-of-cy',
  expired: 'key-that-expired',
  soon: 'key-that-expires-soon',
};

/** Groups: 1 Support (cat, eve), 2 Managers (dan, ann, cat; holds 1222), 3 Nobody, 4 Customers (cy). */
export async function writePeople(db: Kysely<Database>): Promise<void> {
  await db.insertInto('users').values(Object.values(people)).execute();
  await sql`select setval(pg_get_serial_sequence('users', 'id'), 100)`.execute(db);
  await db
    .insertInto('groups')
    .values([
      { id: 1, name: 'Support' },
      { id: 2, name: 'Managers, "all"' },
      { id: 3, name: 'Nobody' },
      { id: 4, name: 'Customers' },
    ])
    .execute();
  await sql`select setval(pg_get_serial_sequence('groups', 'id'), 100)`.execute(db);
  const member = (name: Name, group_id: number) => ({ user_id: people[name].id, group_id });
  await db
    .insertInto('user_groups')
    .values([member('cat', 2), member('cat', 1), member('eve', 1), member('dan', 2), member('ann', 2), member('cy', 4)])
    .execute();
  await db.insertInto('group_permissions').values({ group_id: 2, permission_code: 1222 }).execute();
  await db
    .insertInto('user_permissions')
    .values([
      { user_id: people.cat.id, permission_code: 1222 },
      { user_id: people.cy.id, permission_code: 1222 },
      { user_id: people.bob.id, permission_code: 1222 },
    ])
    .execute();
  const token = (name: Name, key: string, expires_at: string | null = null) => ({
    token_hash: hashKey(key),
    user_id: people[name].id,
    expires_at,
  });
  await db
    .insertInto('auth_tokens')
    .values([
      token('ann', keys.ann),
      token('ann', keys.expired, '2020-01-01T00:00:00Z'),
      token('bob', keys.bob),
      token('cat', keys.cat),
      token('cat', 'second-key-of-cat'),
      token('dan', keys.dan),
      token('eve', keys.eve),
      token('cy', keys.cy),
      token('gus', keys.soon, new Date(Date.now() + 3_600_000).toISOString()),
    ])
    .execute();
  await db
    .insertInto('user_presence')
    .values([
      { user_id: people.cat.id, last_seen_at: 'infinity' },
      { user_id: people.dan.id, last_seen_at: sql<string>`now() - interval '1 day'` },
      { user_id: people.cy.id, last_seen_at: 'infinity' },
    ])
    .execute();
}

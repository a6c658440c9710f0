import { type Insertable, sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../lib/database/tables.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { tooSlow } from '../lib/users/list.ts';
import type { User } from '../lib/users/user.ts';
import { demoKey, seedDemo } from '../manage/demo.ts';
import { openTestDatabase, setForDatabase, type TestDatabase } from './setup/database.ts';
import { type Name, people } from './setup/people.ts';
import { loadHandler, queryOf, send } from './setup/request.ts';

/** The example response of the API's documentation, to which the contract adds groups_data. */
const example = {
  count: 2,
  next: null,
  previous: null,
  results: [
    {
      id: 2,
      username: 'moratti120',
      mobile_number: '09150207212',
      email: 'masimo@intermilan.com',
      is_email_verified: false,
      avatar: null,
      first_name: 'masimo',
      last_name: 'moratti',
      full_name: 'masimo moratti',
      gender: 'male',
      invited_by: {
        id: 1,
        username: 'keegan2255',
        full_name: 'kevin keegan',
      },
      invite_code: null,
      invitees_count: 0,
      is_active: true,
      is_staff: true,
      is_admin: false,
      is_online: true,
      is_profile_completed: true,
      last_login: '2026-02-21T07:20:25.338627Z',
      created_at: '2026-02-21T07:20:25.859632Z',
      updated_at: '2026-02-21T07:20:25.859657Z',
      groups_data: [],
    },
    {
      id: 1,
      username: 'keegan2255',
      mobile_number: '09150207211',
      email: 'kevin@arsenal.com',
      is_email_verified: true,
      avatar: null,
      first_name: 'kevin',
      last_name: 'keegan',
      full_name: 'kevin keegan',
      gender: 'male',
      invited_by: null,
      invite_code: 'egiZXBO',
      invitees_count: 1,
      is_active: true,
      is_staff: false,
      is_admin: true,
      is_online: false,
      is_profile_completed: true,
      last_login: '2026-02-21T07:13:37.888614Z',
      created_at: '2026-02-21T07:03:21.109234Z',
      updated_at: '2026-02-21T07:03:53.350540Z',
      groups_data: [],
    },
  ],
};

describe("the documentation's example", () => {
  let handler: Handler;

  beforeAll(async () => {
    const { url, db } = await openTestDatabase();
    await sql`truncate users, groups restart identity cascade`.execute(db);
    await seedDemo(db);
    handler = await loadHandler(url);
  });

  test('comes out field by field, in its order', async () => {
    const { text, json } = await send(handler, { key: demoKey, query: 'id_max=2' });
    expect(json()).toEqual(example);
    expect(text).toBe(JSON.stringify(example));
  });

  test("'s request has its five users by name", async () => {
    const page = (await send(handler, { key: demoKey, query: 'limit=5&is_active=True&ordering=username' })).json();
    expect(page.results.map(({ username }) => username)).toEqual(['alex10', 'alex18', 'alex26', 'alex30', 'alex34']);
    expect(page.next).toMatch(/\?after=[\w-]+&is_active=True&limit=5&offset=5&ordering=username$/);
  });
});

describe('a user', () => {
  let database: TestDatabase;
  let handler: Handler;

  beforeAll(async () => {
    database = await openTestDatabase();
    handler = await loadHandler(database.url);
  });

  async function show(name: Name, shownBy = handler): Promise<User> {
    const { id } = people[name];
    const { results } = (await send(shownBy, { query: `id_min=${id}&id_max=${id}` })).json();
    expect(results).toHaveLength(1);
    return results[0] as User;
  }

  /** Until the end of the test. What `people` does not say of the user could not be changed back. */
  async function change<N extends Name>(
    name: N,
    values: Partial<
      Pick<Insertable<Database['users']>, keyof Insertable<Database['users']> & keyof (typeof people)[N]>
    >,
  ): Promise<void> {
    const write = (row: Partial<Insertable<Database['users']>>) =>
      database.db.updateTable('users').set(row).where('id', '=', people[name].id).execute();
    onTestFinished(async () => void (await write(people[name])));
    await write(values);
  }

  test('has every field, filled in or not', async () => {
    expect(await show('ann')).toEqual({
      id: 1,
      username: 'ann',
      mobile_number: '09150000001',
      email: 'ann@example.com',
      is_email_verified: true,
      avatar: 'https://media.example.com/avatars/1%20%C3%BC.png',
      first_name: 'Ann',
      last_name: 'Çelik',
      full_name: 'Ann Çelik',
      gender: 'female',
      invited_by: null,
      invite_code: 'ANN1',
      invitees_count: 2, // bob, and cy, a customer
      is_active: true,
      is_staff: false,
      is_admin: true,
      is_online: false,
      is_profile_completed: true,
      last_login: '2026-02-21T07:20:25.338627Z',
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-03-01T12:00:00Z',
      groups_data: [{ id: 2, name: 'Managers, "all"' }],
    });
    expect(await show('bob')).toEqual({
      id: 2,
      username: 'bob',
      mobile_number: null,
      email: '',
      is_email_verified: false,
      avatar: null,
      first_name: '',
      last_name: '',
      full_name: null,
      gender: null,
      invited_by: { id: 1, username: 'ann', full_name: 'Ann Çelik' },
      invite_code: null,
      invitees_count: 0,
      is_active: false,
      is_staff: true,
      is_admin: false,
      is_online: false,
      is_profile_completed: false,
      last_login: '2026-02-20T23:59:59.999999Z',
      created_at: '2026-01-01T23:59:59.999999Z',
      updated_at: '2026-03-02T00:00:00Z',
      groups_data: [],
    });
  });

  test('who was invited by a customer shows the customer', async () => {
    expect((await show('cat')).invited_by).toEqual({ id: 8, username: 'cy', full_name: 'Cy Customer' });
  });

  test('whose inviter has no name shows a null', async () => {
    await change('cat', { invited_by_id: people.bob.id });
    expect((await show('cat')).invited_by).toEqual({ id: 2, username: 'bob', full_name: null });
    await change('cat', { invited_by_id: people.cat.id });
    expect(await show('cat')).toMatchObject({ invited_by: { id: 3, username: 'cat' }, invitees_count: 1 });
  });

  test('has the groups in the order of their ids, and none twice', async () => {
    expect((await show('cat')).groups_data).toEqual([
      { id: 1, name: 'Support' },
      { id: 2, name: 'Managers, "all"' },
    ]);
    const many = Array.from({ length: 12 }, (_, index) => ({ id: 50 - index, name: `Group ${index % 2}${index}` }));
    await database.db.insertInto('groups').values(many).execute();
    const ids = many.map(({ id }) => id);
    onTestFinished(async () => void (await database.db.deleteFrom('groups').where('id', 'in', ids).execute()));
    await database.db
      .insertInto('user_groups')
      .values(many.map(({ id }) => ({ user_id: people.fay.id, group_id: id })))
      .execute();
    expect((await show('fay')).groups_data).toEqual(many.toReversed());
    const both = (await send(handler, { query: `groups_in=1,2,${ids}` })).json();
    expect(both.results.map(({ username }) => username)).toEqual(['fay_x', 'eve', 'dan', 'cat', 'ann']);
    expect(both.count).toBe(5);
  });

  test('is online within the online window', async () => {
    expect((await show('cat')).is_online).toBe(true);
    expect((await show('dan')).is_online).toBe(false); // seen a day ago
    const user_id = people.gus.id;
    await database.db.insertInto('user_presence').values({ user_id, last_seen_at: '-infinity' }).execute();
    onTestFinished(
      async () => void (await database.db.deleteFrom('user_presence').where('user_id', '=', user_id).execute()),
    );
    expect((await show('gus')).is_online).toBe(false);
    expect((await show('dan', await loadHandler(database.url, { ONLINE_WINDOW_SECONDS: '90000' }))).is_online).toBe(
      true,
    );
  });

  test.each<[stored: string | null, shown: string | null]>([
    [null, null],
    ['', null],
    ['avatars/2.png', 'https://media.example.com/avatars/2.png'],
    ['/avatars/2.png', 'https://media.example.com/avatars/2.png'],
    ['//cdn.example.com/2.png', 'https://media.example.com/cdn.example.com/2.png'],
    ['a b/ü #1?&=100%.png', 'https://media.example.com/a%20b/%C3%BC%20%231%3F%26%3D100%25.png'],
    ['عکس/😀.png', 'https://media.example.com/%D8%B9%DA%A9%D8%B3/%F0%9F%98%80.png'],
    ['proxy/https://cdn.example.com/2.png', 'https://media.example.com/proxy/https%3A//cdn.example.com/2.png'],
    ['2://x', 'https://media.example.com/2%3A//x'],
    ['a.b+c-2://x', 'a.b+c-2://x'],
    ['https://cdn.example.com/cat.png?v=1#x', 'https://cdn.example.com/cat.png?v=1#x'],
    ['HTTP://cdn.example.com/ü.png', 'HTTP://cdn.example.com/ü.png'],
    ['javascript:alert(1)', 'https://media.example.com/javascript%3Aalert(1)'],
  ])('with the avatar %j shows %j', async (avatar, shown) => {
    await change('ann', { avatar });
    expect((await show('ann')).avatar).toBe(shown);
  });

  test('shows an avatar below MEDIA_URL', async () => {
    const configured = await loadHandler(database.url, { MEDIA_URL: 'https://cdn.example.org/media' });
    await change('ann', { avatar: 'avatars/2.png' });
    expect((await show('ann', configured)).avatar).toBe('https://cdn.example.org/media/avatars/2.png');
  });

  test.each<[first: string | null, last: string | null, full: string | null]>([
    [null, null, null],
    ['', '', null],
    [' ', '\t', null],
    ['Ann', null, 'Ann'],
    [null, 'Çelik', 'Çelik'],
    ['', 'Çelik', 'Çelik'],
    ['  spaced', 'out  ', 'spaced out'],
    ['van  der', 'Dyk', 'van  der Dyk'],
    ['علی', '"رضایی"', 'علی "رضایی"'],
    ['<b>\\', "O'Neil😀\n", "<b>\\ O'Neil😀"],
  ])('called %j %j is %j in full', async (first_name, last_name, full_name) => {
    await change('ann', { first_name, last_name });
    expect(await show('ann')).toMatchObject({ first_name, last_name, full_name });
  });

  const times: [stored: string, shown: string][] = [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-02-21T07:20:25.338627Z', '2026-02-21T07:20:25.338627Z'],
    ['2026-02-21T07:20:25.7Z', '2026-02-21T07:20:25.700000Z'],
    ['2026-02-21T07:20:25.000001Z', '2026-02-21T07:20:25.000001Z'],
    ['2026-02-21T07:20:25.000000Z', '2026-02-21T07:20:25Z'],
    ['2026-02-21T23:59:59.999999Z', '2026-02-21T23:59:59.999999Z'],
    ['2026-02-21T00:00:00+03:30', '2026-02-20T20:30:00Z'],
    ['2026-03-29T01:00:00Z', '2026-03-29T01:00:00Z'], // where summer time begins in Europe
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
  ];

  /** What RFC 3339 cannot say. */
  const farTimes: typeof times = [
    ['-infinity', '0001-01-01T00:00:00Z'],
    ['0044-03-15T12:00:00Z BC', '0001-01-01T00:00:00Z'],
    ['10000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z'],
    ['infinity', '9999-12-31T23:59:59.999999Z'],
  ];

  test.each([...times, ...farTimes])('with the times %s shows %s', async (stored, shown) => {
    await change('ann', { last_login: stored, created_at: stored, updated_at: stored });
    expect(await show('ann')).toMatchObject({ last_login: shown, created_at: shown, updated_at: shown });
    await change('ann', { last_login: null });
    expect((await show('ann')).last_login).toBeNull();
  });

  test.each(['Asia/Tehran', 'Europe/Berlin', 'Pacific/Kiritimati'])(
    'shows UTC, and is found by UTC days, where the database lives in %s',
    async (zone) => {
      await setForDatabase(database.db, 'timezone', zone);
      await setForDatabase(database.db, 'datestyle', 'SQL, DMY');
      const abroad = await loadHandler(database.url);
      for (const [stored, shown] of times.slice(0, -2)) {
        await change('ann', { created_at: stored });
        expect((await show('ann', abroad)).created_at).toBe(shown);
        for (const parameter of ['created_date', 'created_from', 'created_to']) {
          const { count } = (await send(abroad, { query: `id_max=1&${parameter}=${shown.slice(0, 10)}` })).json();
          expect(count, `${parameter} for ${stored}`).toBe(1);
        }
      }
    },
  );
});

test.each([
  ['', 'Narrow it with `id_min` and `id_max`.'],
  ['is_active=true&limit=5', 'Narrow it with `id_min` and `id_max`.'],
  ['search=ann', 'Use fewer, longer or rarer words in `search`.'],
  ['ordering=id', 'Leave out `ordering`.'],
  ['offset=1', 'Use a smaller `offset`: filter by `id_max` instead of skipping users.'],
  [
    'offset=1&ordering=id&search=ann',
    'Use fewer, longer or rarer words in `search`. Leave out `ordering`. ' +
      'Use a smaller `offset`: filter by `id_max` instead of skipping users.',
  ],
])('when ?%s takes too long, the client is told: %s', (query, advice) => {
  const cause = new Error('late');
  expect(tooSlow(queryOf(query), cause)).toMatchObject({
    status: 503,
    detail: `The query took longer than it may. ${advice}`,
    cause,
  });
});

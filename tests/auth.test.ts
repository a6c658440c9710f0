import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hashKey, selectCaller } from '../lib/auth.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { keys, people } from './setup/people.ts';
import { loadHandler, receive, send, toEvent } from './setup/request.ts';

/** Keys of users whom only these tests need. */
const extra = {
  /** An admin, but not active. */
  inactiveAdmin: 'key-of-an-inactive-admin',
  /** Staff with a permission, but another one. */
  otherPermission: 'key-with-another-permission',
  /** A customer in a group that holds 1222. */
  customerInGroup: 'key-of-a-customer-in-a-group',
  /** Neither staff nor customer, with 1222. */
  nobody: 'key-of-nobody-in-particular',
  /** An admin's, not in ASCII. */
  persian: 'کلید',
};

let database: TestDatabase;
let handler: Handler;

beforeAll(async () => {
  database = await openTestDatabase();
  handler = await loadHandler(database.url);
  const { db } = database;
  const users = [
    { id: 301, username: 'inactive', is_admin: true, is_active: false },
    { id: 302, username: 'other', is_staff: true },
    { id: 303, username: 'grouped', is_customer: true },
    { id: 304, username: 'nobody', is_customer: false },
    { id: 305, username: 'persian', is_admin: true },
  ];
  await db.insertInto('users').values(users).execute();
  await db.insertInto('permissions').values({ code: 1223, name: 'Another' }).execute();
  await db
    .insertInto('user_permissions')
    .values([
      { user_id: 302, permission_code: 1223 },
      { user_id: 304, permission_code: 1222 },
    ])
    .execute();
  await db.insertInto('user_groups').values({ user_id: 303, group_id: 2 }).execute();
  const tokens = Object.values(extra).map((key, index) => ({
    token_hash: hashKey(key),
    user_id: 301 + index,
    expires_at: null,
  }));
  await db.insertInto('auth_tokens').values(tokens).execute();
});

const sendHeader = (authorization: string | undefined) =>
  receive(handler, { ...toEvent({}), headers: authorization === undefined ? {} : { authorization } });

const utf8AsLatin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('401', () => {
  const notProvided = 'Authentication credentials were not provided.';
  const noKey = 'Invalid token header. No credentials provided.';
  const spaces = 'Invalid token header. Token string should not contain spaces.';
  const characters = 'Invalid token header. Token string should not contain invalid characters.';
  const invalid = 'Invalid token.';
  const inactive = 'User inactive or deleted.';

  test.each<[header: string | undefined, detail: string]>([
    [undefined, notProvided],
    ['', notProvided],
    [' \t', notProvided],
    [`Bearer ${keys.ann}`, notProvided],
    [`Basic ${btoa(`ann:${keys.ann}`)}`, notProvided],
    [`Token:${keys.ann}`, notProvided],
    [`Tokens ${keys.ann}`, notProvided],
    [`Token\u00a0${keys.ann}`, notProvided],
    [keys.ann, notProvided],
    ['Token', noKey],
    ['token  ', noKey],
    ['Token a b', spaces],
    [`Token ${keys.ann} ${keys.ann}`, spaces],
    ['Token \xff\xfe', characters],
    ['Token \xc3\x28', characters],
    ['Token \xed\xa0\x80', characters],
    ['Token \ufffd', characters],
    ['Token \ud800', characters],
    ['Token کلید\ud800', characters],
    [`Token ${keys.ann}\0`, characters],
    [`Token ${keys.ann}\x1f`, characters],
    ['Token unknown', invalid],
    [`Token ${keys.ann.toUpperCase()}`, invalid],
    [`Token ${keys.ann}x`, invalid],
    [`Token ${hashKey(keys.ann).toString('hex')}`, invalid],
    [`Token \\x${hashKey(keys.ann).toString('hex')}`, invalid],
    ["Token '||chr(0)||'", invalid],
    [`Token ${keys.expired}`, invalid],
    [`Token ${keys.bob}`, inactive],
    [`Token ${extra.inactiveAdmin}`, inactive],
  ])('%j is answered %s', expectRefusal);

  test('a key of any length is an unknown one', () => expectRefusal(`Token ${'x'.repeat(100_000)}`, invalid));

  async function expectRefusal(header: string | undefined, detail: string): Promise<void> {
    const { status, headers, problem } = await sendHeader(header);
    expect(status).toBe(401);
    expect(headers).toMatchObject({ 'WWW-Authenticate': 'Token', 'Content-Type': 'application/problem+json' });
    expect(problem()).toEqual({ type: 'about:blank', title: 'Unauthorized', status: 401, detail });
  }
});

test.each([
  ['staff without a permission', keys.eve],
  ['staff without a permission, whose token expires later', keys.soon],
  ['staff with another permission', extra.otherPermission],
  ['a customer with the permission', keys.cy],
  ['a customer with the permission through a group', extra.customerInGroup],
  ['somebody who is neither staff nor admin, with the permission', extra.nobody],
])('403 is the answer to %s', async (_, key) => {
  const { status, headers, problem } = await send(handler, { key });
  expect(status).toBe(403);
  expect(headers).not.toHaveProperty('WWW-Authenticate');
  expect(problem()).toEqual({
    type: 'about:blank',
    title: 'Forbidden',
    status: 403,
    detail: 'You do not have permission to perform this action.',
  });
});

test.each([
  ['an admin', `Token ${keys.ann}`],
  ['staff with the permission', `Token ${keys.cat}`],
  ['the second token of a user', 'Token second-key-of-cat'],
  ['staff with the permission through a group', `Token ${keys.dan}`],
  ['the scheme in lower case', `token ${keys.ann}`],
  ['the scheme in any case', `tOKEN ${keys.ann}`],
  ['white space around and between', ` \tToken \t  ${keys.ann} `],
  ['a key outside ASCII that is decoded already', `Token ${extra.persian}`],
  ['a key outside ASCII whose bytes are characters', `Token ${utf8AsLatin1(extra.persian)}`],
])('200 is the answer to %s', async (_, header) => {
  expect((await sendHeader(header)).status).toBe(200);
});

test('a key is held as the SHA-256 of its UTF-8 bytes', () => {
  expect(hashKey('ключ')).toEqual(createHash('sha256').update(Buffer.from('ключ', 'utf8')).digest());
  expect(hashKey('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('a token counts until the moment it expires', async () => {
  // In one transaction, in which now() stands still.
  const trx = await database.db.startTransaction().execute();
  onTestFinished(async () => void (await trx.rollback().execute()));
  const expiries: Record<string, boolean> = {
    "'-infinity'": false,
    "now() - interval '1 day'": false,
    "now() - interval '1 second'": false,
    "now() - interval '1 microsecond'": false,
    'now()': false,
    "now() + interval '1 microsecond'": true,
    "now() + interval '1 hour'": true,
    "'infinity'": true,
    null: true,
  };
  const counts: Record<string, boolean> = {};
  for (const expiry of Object.keys(expiries)) {
    const token_hash = hashKey(expiry);
    await trx
      .insertInto('auth_tokens')
      .values({ token_hash, user_id: people.cat.id, expires_at: sql<string>`${sql.raw(expiry)}` })
      .execute();
    const { rows } = await trx.executeQuery({ ...selectCaller, parameters: [token_hash] });
    counts[expiry] = rows.length > 0;
  }
  expect(counts).toEqual(expiries);
});

test('what a token allows follows the database at once', async () => {
  const { db } = database;
  const user_id = 400;
  await db.insertInto('users').values({ id: user_id, username: 'followed', is_staff: true }).execute();
  onTestFinished(async () => void (await db.deleteFrom('users').where('id', '=', user_id).execute()));
  await db.insertInto('user_groups').values({ user_id, group_id: 2 }).execute();
  const tokens = ['first', 'second'].map((key) => ({ token_hash: hashKey(key), user_id, expires_at: null }));
  await db.insertInto('auth_tokens').values(tokens).execute();
  const statuses = async () => [
    (await send(handler, { key: 'first' })).status,
    (await send(handler, { key: 'second' })).status,
  ];
  expect(await statuses()).toEqual([200, 200]);
  await db.deleteFrom('user_groups').where('user_id', '=', user_id).where('group_id', '=', 2).execute();
  expect(await statuses()).toEqual([403, 403]);
  await db.updateTable('users').set({ is_active: false }).where('id', '=', user_id).execute();
  expect(await statuses()).toEqual([401, 401]);
  await db.updateTable('users').set({ is_active: true, is_admin: true }).where('id', '=', user_id).execute();
  expect(await statuses()).toEqual([200, 200]);
  await db.deleteFrom('auth_tokens').where('token_hash', '=', hashKey('first')).execute();
  expect(await statuses()).toEqual([401, 200]);
});

test('a bad query is told to nobody without a token, or without the permission', async () => {
  const query = 'limit=x&secret=1';
  expect((await receive(handler, { ...toEvent({ query }), headers: {} })).status).toBe(401);
  expect((await send(handler, { query, key: 'unknown' })).status).toBe(401);
  expect((await send(handler, { query, key: keys.eve })).status).toBe(403);
  expect((await send(handler, { query })).status).toBe(400);
});

test('without a key the database is not asked, and a bad query never reaches the list', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => errors.mockRestore());
  const unreachable = await loadHandler('postgres://nobody@127.0.0.1:1/none');
  const withoutKey = await receive(unreachable, { ...toEvent({}), headers: { authorization: 'Token' } });
  expect(withoutKey.status).toBe(401);
  expect((await send(unreachable)).status).toBe(503);

  await database.db.schema.alterTable('user_presence').renameTo('absent').execute();
  expect((await send(handler)).status).toBeGreaterThanOrEqual(500);
  expect((await send(handler, { query: 'limit=x' })).status).toBe(400);
  expect((await send(handler, { key: keys.eve })).status).toBe(403);
  await database.db.schema.alterTable('absent').renameTo('user_presence').execute();
  expect((await send(handler)).status).toBe(200);
});

import { sql } from 'kysely';
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { hashKey } from '../lib/auth.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { runCommand } from '../manage/commands.ts';
import { OperatorError } from '../manage/operator-error.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { keys, people } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';

let database: TestDatabase;
let handler: Handler;
let databaseName: string;
let owner: string;

beforeAll(async () => {
  database = await openTestDatabase();
  handler = await loadHandler(database.url);
  const { rows } = await sql<{ database: string; owner: string }>`
    select current_database() as database, current_user as owner`.execute(database.db);
  databaseName = rows[0]?.database ?? '';
  owner = rows[0]?.owner ?? '';
});

// Fay has none of her own.
afterEach(
  async () => void (await database.db.deleteFrom('auth_tokens').where('user_id', '=', people.fay.id).execute()),
);

/** Runs `issue-token ann --name 'a b'`: a word of `rest` may hold spaces. */
const manage = (line: string, ...rest: string[]): Promise<string[]> =>
  runCommand(database.db, [...line.split(' ').filter((word) => word !== ''), ...rest]);

const issue = async (line: string, ...rest: string[]): Promise<string> =>
  (await manage(`issue-token ${line}`, ...rest))[0] as string;

const statusOf = async (key: string): Promise<number> => (await send(handler, { key })).status;
const hashOf = (key: string): string => hashKey(key).toString('hex');
const prefixOf = (key: string): string => hashOf(key).slice(0, 8);

describe('issue-token', () => {
  test('prints a key that works from then on, and keeps but its hash', async () => {
    await manage('create-user kim --staff --grant 1222');
    const [key = '', ...rest] = await manage('issue-token kim');
    expect(key).toMatch(/^[0-9a-f]{40}$/);
    expect(rest).toEqual([]);
    expect(await statusOf(key)).toBe(200);
    const { rows } = await sql<{ all: string }>`select string_agg(t::text, '\n') as all from auth_tokens t`.execute(
      database.db,
    );
    expect(rows[0]?.all).not.toContain(key);
    expect(rows[0]?.all).toContain(hashOf(key));
    expect(await issue('kim')).not.toBe(key);
    expect(await statusOf(key)).toBe(200);
  });

  test('prints a key whose user still needs the permission', async () => {
    await manage('create-user leo --staff');
    expect(await statusOf(await issue('leo'))).toBe(403);
  });

  test.each([
    ['', 90],
    ['--expires-in-days 1', 1],
    ['--expires-in-days 36500', 36500],
    ['--never-expires', null],
  ])('%s sets the end, days: %s', async (options, days) => {
    const key = await issue(`fay_x ${options}`);
    const row = await database.db
      .selectFrom('auth_tokens')
      .where('token_hash', '=', hashKey(key))
      .select(sql<boolean>`expires_at is not distinct from created_at + make_interval(days => ${days})`.as('isExact'))
      .executeTakeFirstOrThrow();
    expect(row.isExact).toBe(true);
  });

  test('keeps what the token is for, and who has issued it: the role of the database, unless said otherwise', async () => {
    const named = await issue('fay_x --name', 'nightly export', '--issuer', 'Jane Doe');
    const plain = await issue('fay_x');
    const rows = await database.db
      .selectFrom('auth_tokens')
      .where('token_hash', 'in', [hashKey(named), hashKey(plain)])
      .orderBy('name')
      .select(['name', 'issuer'])
      .execute();
    expect(rows).toEqual([
      { name: 'nightly export', issuer: 'Jane Doe' },
      { name: null, issuer: owner },
    ]);
  });
});

describe('list-tokens', () => {
  const token = (key: string, created_at: string, expires_at: string | null, more = {}) => ({
    token_hash: hashKey(key),
    user_id: people.fay.id,
    created_at,
    expires_at,
    ...more,
  });
  const write = (...tokens: ReturnType<typeof token>[]) =>
    database.db.insertInto('auth_tokens').values(tokens).execute();

  test('shows the oldest first, in UTC, whatever the time zone of the session', async () => {
    await write(
      token('newest', '2026-02-21T23:30:59.9Z', null, { name: 'export', issuer: 'jane' }),
      token('oldest', '2026-02-19T00:00:00Z', '2126-12-31T23:59:59.999999Z', { issuer: 'jane' }),
      token('older', '2026-02-20T20:30:00Z', '2020-01-01T00:00:00Z', { issuer: 'john' }),
    );
    const listed = await database.db.transaction().execute(async (trx) => {
      const all: string[][] = [];
      for (const zone of ['UTC', 'Asia/Tehran', 'America/St_Johns']) {
        await sql`set local time zone ${sql.lit(zone)}`.execute(trx);
        all.push(await runCommand(trx, ['list-tokens', 'fay_x']));
      }
      return all;
    });
    const expected = [
      'hash      created (UTC)     expires (UTC)            user   issued by  name',
      `${prefixOf('oldest')}  2026-02-19 00:00  2126-12-31 23:59         fay_x  jane`,
      `${prefixOf('older')}  2026-02-20 20:30  2020-01-01 00:00  ended  fay_x  john`,
      `${prefixOf('newest')}  2026-02-21 23:30  never                    fay_x  jane       export`,
    ];
    expect(listed).toEqual([expected, expected, expected]);
  });

  test("shows everybody's without a name, and nothing that opens a door", async () => {
    await write(token('of fay', '2000-01-01T00:00:00Z', null));
    const lines = await manage('list-tokens');
    const { count } = await database.db
      .selectFrom('auth_tokens')
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow();
    expect(lines).toHaveLength(1 + Number(count));
    expect(lines[1]?.split(/ {2,}/).slice(0, 4)).toEqual([prefixOf('of fay'), '2000-01-01 00:00', 'never', 'fay_x']);
    expect(lines.some((line) => line.startsWith(prefixOf(keys.cat)))).toBe(true);
    expect(lines.join('\n')).not.toContain(keys.ann);
    expect(lines.join('\n')).not.toContain(hashOf(keys.ann));
    await manage('create-user tokenless');
    expect(await manage('list-tokens tokenless')).toHaveLength(1);
  });

  test.each([
    ["interval '13 days 23 hours'", 'soon'],
    ["interval '14 days 1 hour'", ''],
    ["interval '1 minute'", 'soon'],
    ["interval '0'", 'ended'],
    ["interval '-1 minute'", 'ended'],
  ])('marks what ends in %s as "%s"', async (end, mark) => {
    await write(token('marked', '2026-01-01T00:00:00Z', null));
    await sql`update auth_tokens set expires_at = now() + ${sql.raw(end)} where user_id = ${people.fay.id}`.execute(
      database.db,
    );
    const [, line = ''] = await manage('list-tokens fay_x');
    expect(line.split(/ {2,}/).slice(3)).toEqual([...(mark ? [mark] : []), 'fay_x', owner]);
  });

  test('--ends-within-days fails where tokens end by then, or have ended, and shows those alone', async () => {
    const within = (days: number) =>
      manage(`list-tokens fay_x --ends-within-days ${days}`).catch((error: unknown) => error);
    await write(token('never', '2026-01-01T00:00:00Z', null));
    expect(await within(36500)).toEqual(['no token ends within 36500 days']);
    const ending = await issue('fay_x --expires-in-days 10');
    expect(await within(9)).toEqual(['no token ends within 9 days']);
    const error = await within(11);
    expect(error).toBeInstanceOf(OperatorError);
    const [, ...lines] = (error as Error).message.split('\n');
    expect(lines).toEqual([expect.stringMatching(new RegExp(`^${prefixOf(ending)} .* soon  fay_x`))]);
    await write(token('over', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'));
    expect(((await within(1)) as Error).message.split('\n')).toHaveLength(2);
  });

  test.each([
    ['infinity', 'infinity', 200],
    ['-infinity', '-infinity', 401],
    ['0044-03-15 12:00:00+00 BC', '0044-03-15 12:00 BC', 401],
    ['12000-01-01 00:00:00+00', '12000-01-01 00:00', 200],
  ])('a token that expires at %s is listed so, and counts accordingly', async (expires_at, shown, status) => {
    const key = `key until ${expires_at}`.replaceAll(' ', '-');
    await write(token(key, expires_at, expires_at));
    const [, line = ''] = await manage('list-tokens fay_x');
    expect(line.split(/ {2,}/).slice(0, 3)).toEqual([prefixOf(key), shown, shown]);
    expect(await statusOf(key)).toBe(status);
    const { id } = people.fay;
    const query = `id_min=${id}&id_max=${id}&has_token=${status === 200}`;
    expect((await send(handler, { key: keys.ann, query })).json().count).toBe(1);
  });
});

describe('revoke-token', () => {
  test('a client goes over from one token to the next and is never refused', async () => {
    await manage('create-user rob --admin');
    const old = await issue('rob --name export');
    expect(await statusOf(old)).toBe(200);
    const next = await issue('rob --name export');
    expect([await statusOf(old), await statusOf(next)]).toEqual([200, 200]);
    // What was revoked before was both.
    expect(await manage(`revoke-token ${prefixOf(old)}`)).toEqual([`revoked rob's token ${prefixOf(old)} (export)`]);
    expect([await statusOf(old), await statusOf(next)]).toEqual([401, 200]);
  });

  test.each([8, 9, 64])('takes %d digits of the hash, in any letter case', async (digits) => {
    const key = await issue('fay_x');
    const other = await issue('fay_x');
    const printed = await manage(`revoke-token ${hashOf(key).slice(0, digits).toUpperCase()}`);
    expect(printed).toEqual([`revoked fay_x's token ${prefixOf(key)}`]);
    const left = await database.db.selectFrom('auth_tokens').where('user_id', '=', people.fay.id).selectAll().execute();
    expect(left.map(({ token_hash }) => token_hash.toString('hex'))).toEqual([hashOf(other)]);
  });

  test('revokes none where several are meant, and says how to go on', async () => {
    const hashes = ['0123456789', '012345678a'].map((prefix) => prefix.padEnd(64, '0'));
    onTestFinished(() => manage('revoke-tokens fay_x').then(() => {}));
    await database.db
      .insertInto('auth_tokens')
      .values(hashes.map((hash) => ({ token_hash: Buffer.from(hash, 'hex'), user_id: people.fay.id })))
      .execute();
    await expect(manage('revoke-token 012345678')).rejects.toThrow(
      new OperatorError(`Several tokens' hashes begin with 012345678; give more digits: ${hashes.join(', ')}.`),
    );
    expect(await manage('list-tokens fay_x')).toHaveLength(3);
    expect(await manage('revoke-token 012345678a')).toEqual(["revoked fay_x's token 01234567"]);
    expect(await manage('list-tokens fay_x')).toHaveLength(2);
  });
});

test("revoke-tokens ends a user's tokens and no one else's", async () => {
  await manage('create-user ron --admin');
  const issued = await Promise.all(['', '', '--expires-in-days 1'].map((end) => issue(`ron ${end}`)));
  const statuses = () => Promise.all([...issued, keys.ann, keys.cat].map(statusOf));
  expect(await statuses()).toEqual([200, 200, 200, 200, 200]);
  expect(await manage('revoke-tokens ron')).toEqual(["revoked 3 of ron's tokens"]);
  expect(await statuses()).toEqual([401, 401, 401, 200, 200]);
  expect(await manage('revoke-tokens ron')).toEqual(["revoked 0 of ron's tokens"]);
});

test('revoke-all-tokens ends every token in the database that is named', async () => {
  const kept = await database.db.selectFrom('auth_tokens').selectAll().execute();
  onTestFinished(async () => void (await database.db.insertInto('auth_tokens').values(kept).execute()));
  const all = [`revoked all ${kept.length} tokens in ${databaseName}`];
  expect(await manage('revoke-all-tokens', databaseName)).toEqual(all);
  expect(await Promise.all([keys.ann, keys.cat].map(statusOf))).toEqual([401, 401]);
});

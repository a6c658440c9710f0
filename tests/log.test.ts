import { format } from 'node:util';
import { sql } from 'kysely';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hashKey } from '../lib/auth.ts';
import { databaseUnavailable } from '../lib/http/errors.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { ok } from '../lib/http/responses.ts';
import { route } from '../lib/http/route.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { keys } from './setup/people.ts';
import { loadHandler, receive, send, toEvent } from './setup/request.ts';

let database: TestDatabase;
let handler: Handler;

/** What is written by whatever way: the calls of console, and the bytes that go to stdout and stderr. */
let lines: unknown[];
let written: string;

beforeAll(async () => {
  database = await openTestDatabase();
  handler = await loadHandler(database.url);
});

beforeEach(() => {
  lines = [];
  written = '';
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => void lines.push(...values));
  }
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written += chunk;
      return true;
    });
  }
});

afterEach(() => vi.restoreAllMocks());

const tokenOf = (key: string) => hashKey(key).toString('hex').slice(0, 8);

describe('the log has one line per request', () => {
  test('of a list: who asked, with which parameters, and how much came of it', async () => {
    await send(handler, { query: 'is_active=true&search=ann&limit=1&gender=' });
    expect(lines).toEqual([
      {
        requestId: 'request-1',
        status: 200,
        version: 'unbuilt',
        route: '/api/users/',
        durationsMs: { auth: expect.any(Number), db: expect.any(Number), total: expect.any(Number) },
        callerId: 1,
        token: tokenOf(keys.ann),
        parameters: ['is_active', 'search', 'limit', 'gender'],
        format: 'json',
        count: 1,
        rows: 1,
      },
    ]);
  });

  test.each([
    ['id_max=3', { format: 'json', count: 3, rows: 3, shownUserIds: [3, 2, 1] }],
    ['id_max=3&limit=2', { format: 'json', count: 3, rows: 2, shownUserIds: [3, 2] }],
    ['id_max=3&format=csv', { format: 'csv', count: 3, rows: 3, shownUserIds: [3, 2, 1] }],
    ['id_max=3&format=csv&limit=2', { format: 'csv', count: 3, rows: 2, shownUserIds: [3, 2] }],
    ['id_max=0', { format: 'json', count: 0, rows: 0, shownUserIds: [] }],
  ])('with AUDIT_LOG=on also whom ?%s has shown', async (query, shown) => {
    await send(await loadHandler(database.url, { AUDIT_LOG: 'on' }), { query });
    expect(lines).toEqual([
      {
        requestId: 'request-1',
        status: 200,
        version: 'unbuilt',
        route: '/api/users/',
        durationsMs: expect.any(Object),
        callerId: 1,
        token: tokenOf(keys.ann),
        parameters: [...new URLSearchParams(query).keys()],
        ...shown,
      },
    ]);
  });

  test('as one line of JSON however it is shown, with more than a hundred ids whole', async () => {
    await sql`insert into users (id, username, is_staff)
      select 3000 + n, 'one' || n, true from generate_series(1, 300) n`.execute(database.db);
    onTestFinished(async () => void (await database.db.deleteFrom('users').where('id', '>', 3000).execute()));
    await send(await loadHandler(database.url, { AUDIT_LOG: 'on' }), { query: 'id_min=3001&limit=300' });
    const shown = format(lines[0]);
    expect(shown).toBe(JSON.stringify(lines[0]));
    expect(JSON.parse(shown).shownUserIds).toHaveLength(300);
  });

  describe('but nobody where nobody was shown:', () => {
    let audited: Handler;

    beforeAll(async () => {
      // 300 users whose page, uncompressed, is more than Lambda takes.
      await sql`insert into users (id, username, is_customer, is_staff, first_name)
        select 1000 + n, 'large' || n, false, true, repeat('"', 6000) from generate_series(1, 300) n`.execute(
        database.db,
      );
      audited = await loadHandler(database.url, { AUDIT_LOG: 'on' });
      return async () => void (await database.db.deleteFrom('users').where('id', '>', 1000).execute());
    });

    test.each<[what: string, sent: Parameters<typeof send>[1], status: number]>([
      ['a HEAD', { query: 'id_max=3', method: 'HEAD' }, 200],
      ['an answer that is too large', { query: 'id_min=1001&limit=300' }, 400],
      ['a HEAD of one that is too large', { query: 'id_min=1001&limit=300', method: 'HEAD' }, 400],
      ['an export that is too large', { query: 'id_min=1001&format=csv' }, 400],
    ])('%s', async (_, sent, status) => {
      const answer = await send(audited, sent);
      expect(answer.status).toBe(status);
      expect(lines).toMatchObject([{ status, rows: expect.any(Number) }]);
      expect(lines[0]).not.toHaveProperty('shownUserIds');
    });

    test('a file, which is of no users', async () => {
      const file = route(['/file'], { publicUrl: undefined, auditLog: true }, async () => ok('{}'));
      expect((await send(file, { path: '/file' })).status).toBe(200);
      expect(lines).toMatchObject([{ status: 200 }]);
      expect(lines[0]).not.toHaveProperty('shownUserIds');
    });

    test('an export of more users than one may hold', async () => {
      await sql`insert into users (id, username, is_staff)
        select 2000 + n, 'many' || n, true from generate_series(1, 10001) n`.execute(database.db);
      onTestFinished(async () => void (await database.db.deleteFrom('users').where('id', '>', 2000).execute()));
      expect((await send(audited, { query: 'id_min=2001&format=csv' })).status).toBe(400);
      expect(lines).toMatchObject([{ status: 400, count: 10_001 }]);
      expect(lines[0]).not.toHaveProperty('shownUserIds');
    });
  });

  test.each([
    ['an unknown token', { key: 'guess' }, { status: 401, token: tokenOf('guess') }, ['callerId', 'parameters']],
    ['no token', { headers: { authorization: '' } }, { status: 401 }, ['token', 'callerId']],
    ['an inactive user', { key: keys.bob }, { status: 401, callerId: 2 }, ['parameters']],
    ['a customer', { key: keys.cy }, { status: 403, callerId: 8, token: tokenOf(keys.cy) }, ['parameters', 'error']],
    [
      'a bad query',
      { query: 'limit=x&is_aktive=1' },
      { status: 400, callerId: 1, parameters: ['limit'], refusedParameters: ['limit'], unknownParameters: ['other'] },
      ['count', 'error'],
    ],
    [
      'a query of another API',
      { query: 'page=2&page_size=5&_=17&utm_source=a&utm_x=b&is_active=1&gender=' },
      { status: 400, parameters: ['is_active', 'gender'], unknownParameters: ['page', 'page_size', '_', 'utm_*'] },
      ['refusedParameters'],
    ],
    [
      'a list with brackets',
      { query: 'groups_in[]=1&groups_in[7]=2&filter[name]=x&Page=1&x[]=1&%E5=1' },
      { status: 400, unknownParameters: ['groups_in[]', 'filter[]', 'other'] },
      ['refusedParameters'],
    ],
    [
      'cursors of both sides',
      { query: 'offset=1&limit=1&after=d2yxs1siLWlkIiwxLDJd&before=d2yxs1siLWlkIiwxLDJd' },
      { status: 400, refusedParameters: ['before'] },
      ['unknownParameters'],
    ],
    [
      'an export by its header',
      { headers: { accept: 'text/csv' } },
      { status: 200, format: 'csv' },
      ['refusedParameters'],
    ],
    ['another path', { path: '/api/secret' }, { status: 404 }, ['route', 'token']],
    ['the redirect', { path: '/api/users' }, { status: 301, route: '/api/users/' }, ['token']],
    ['OPTIONS', { method: 'OPTIONS' }, { status: 204, route: '/api/users/' }, ['token']],
  ])('of %s', async (_, sent, expected, absent) => {
    await send(handler, sent);
    expect(lines).toMatchObject([expected]);
    for (const name of absent) expect(lines[0]).not.toHaveProperty(name);
  });
});

describe('no value of a request and nothing of a user is ever written', () => {
  const secret = 'hunter2';
  const personal = /example\.(com|org)|0915|Çelik|O'Neil|ANN1/;

  function expectNoSecret(): void {
    const all = written + lines.map((line) => JSON.stringify(line)).join('\n');
    expect(lines).toHaveLength(1);
    expect(all).not.toContain(secret);
    expect(all).not.toMatch(/hunter/i);
    expect(all).not.toMatch(personal);
    expect(all).not.toContain(keys.ann);
  }

  test.each([
    ['a value', { query: `search=${secret}` }, 200],
    ['a malformed value', { query: `limit=${secret}&created_date=${secret}&ordering=${secret}` }, 400],
    ['a name', { query: `${secret}=1&is_active=1` }, 400],
    ['a name of many forms', { query: `utm_${secret}=1&filter[${secret}]=1&${secret}[]=1&_${secret}=1` }, 400],
    ['malformed bytes', { query: `search=%ff${secret}&%ff${secret}=%00` }, 400],
    ['the path', { path: `/api/users/${secret}` }, 404],
    ["the redirect's query", { path: '/api/users', query: `search=${secret}` }, 301],
    ['a method', { method: secret.toUpperCase() }, 405],
    ['a token', { key: secret }, 401],
    ['a malformed token', { key: `${secret} ${secret}` }, 401],
    ['a token of malformed bytes', { key: `${secret}\u0001\xff` }, 401],
    ['another scheme', { headers: { authorization: `Basic ${secret}` } }, 401],
    ['other headers', { headers: { host: secret, cookie: secret, 'user-agent': secret, [secret]: secret } }, 200],
  ])('in %s', async (_, sent, status) => {
    expect((await send(handler, sent)).status).toBe(status);
    expectNoSecret();
  });

  test('nor is anything of the users listed', async () => {
    expect((await send(handler, { query: 'limit=100' })).json().count).toBe(7);
    expectNoSecret();
  });

  describe('when PostgreSQL quotes it', () => {
    beforeAll(async () => {
      await sql`alter function search_fold(text) rename to kept_search_fold`.execute(database.db);
      return async () => {
        await sql`drop function search_fold(text)`.execute(database.db);
        await sql`alter function kept_search_fold(text) rename to search_fold`.execute(database.db);
      };
    });

    test.each([
      ['in a message about data', `value::int::text`, '22P02'],
      ['in a message that was raised', `raise_with(value)`, 'P0001'],
    ])('%s', async (_, body, code) => {
      await sql`create or replace function raise_with(value text) returns text language plpgsql immutable as
        'begin raise exception ''no %'', value using detail = value, hint = value; end'`.execute(database.db);
      await sql`create or replace function search_fold(value text) returns text language sql immutable
        as ${sql.lit(`select ${body}`)}`.execute(database.db);
      // Without three letters in a row the term goes through search_fold alone.
      const { status, text } = await send(handler, { query: 'search=hu.nt.er' });
      expect(status).toBe(500);
      expect(text + JSON.stringify(lines)).not.toContain('hu.nt');
      expect(lines).toMatchObject([{ status: 500, error: { name: 'DatabaseError', code } }]);
      expectNoSecret();
    });
  });

  test.each([
    ['an error', () => new Error(secret)],
    ['an error with a cause', () => new Error('with a cause', { cause: secret })],
    ['an error that looks like a stack', () => new Error(`no\n    at ${secret}`)],
    ['a text', () => secret],
    ['an object', () => ({ secret })],
    ['JSON that does not parse', () => thrownBy(() => JSON.parse(secret))],
    ["one of Node's own", () => thrownBy(() => Buffer.from(secret as never, secret as never))],
  ])('when the fault is ours: %s', async (_, makeError) => {
    const broken = route(['/api/users/'], { publicUrl: undefined, auditLog: false }, () => Promise.reject(makeError()));
    expect((await receive(broken, toEvent({}))).status).toBe(500);
    expect(lines).toMatchObject([{ requestId: 'request-1', status: 500, error: { name: expect.any(String) } }]);
    expectNoSecret();
  });

  function thrownBy(run: () => unknown): unknown {
    try {
      return run();
    } catch (error) {
      return error;
    }
  }
});

describe('the log of a fault', () => {
  async function logOf(fault: unknown): Promise<unknown> {
    lines = [];
    const failing = route(['/api/users/'], { publicUrl: undefined, auditLog: false }, () => Promise.reject(fault));
    await receive(failing, toEvent({}));
    return (lines as [{ error: unknown }])[0].error;
  }

  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
  const unreachable = { name: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1' };
  const somewhere = expect.arrayContaining([expect.stringMatching(/log\.test\.ts/)]);

  test.each<[what: string, fault: unknown, logged: object]>([
    ['of the database says what it is', databaseUnavailable(refused), unreachable],
    [
      'of a host with several addresses says what each of them is',
      databaseUnavailable(new AggregateError([refused, new Error('none')])),
      { name: 'AggregateError', errors: [unreachable, { name: 'Error', message: 'none' }] },
    ],
    ['that is no error says of what type it is', databaseUnavailable('why'), { name: 'string' }],
    ['of ours says where it happened', new TypeError('no'), { name: 'TypeError', stack: somewhere }],
    ['of ours says its code', refused, { name: 'Error', code: 'ECONNREFUSED', stack: somewhere }],
    [
      'of ours with several causes says where each of them happened',
      new AggregateError([refused, 'no']),
      {
        name: 'AggregateError',
        errors: [{ name: 'Error', code: 'ECONNREFUSED', stack: somewhere }, { name: 'string' }],
      },
    ],
    [
      'of ours without a stack says its name',
      Object.assign(new Error('no'), { stack: undefined }),
      { name: 'Error', stack: [] },
    ],
  ])('%s', async (_, fault, logged) => {
    expect(await logOf(fault)).toStrictEqual(logged);
  });

  test('is written as an error, and no other line is', async () => {
    await logOf(new Error('no'));
    expect([vi.mocked(console.error).mock.calls.length, vi.mocked(console.log).mock.calls.length]).toEqual([1, 0]);
    await send(handler, { query: 'limit=x' });
    expect([vi.mocked(console.error).mock.calls.length, vi.mocked(console.log).mock.calls.length]).toEqual([1, 1]);
  });

  test('of ours begins where it was thrown', async () => {
    const error = (await logOf(new TypeError('no'))) as { stack: string[] };
    expect(error.stack[0]).toMatch(/log\.test\.ts/);
  });
});

import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { csv, listUsers, requireDescribed } from './setup/described.ts';
import { keys } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';

let database: TestDatabase;
let reporting: Handler;
let lines: object[];

beforeAll(async () => {
  database = await openTestDatabase();
  reporting = await loadHandler(database.url, { UNKNOWN_PARAMETERS: 'report' });
});

beforeEach(() => {
  lines = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(line));
});

const ignored = 'X-Ignored-Parameters';

describe('where unknown parameters are reported, a query with some', () => {
  test('is answered as without them, links included', async () => {
    const [plain, cluttered] = await Promise.all([
      send(reporting, { query: 'is_active=true&limit=2' }),
      send(reporting, { query: '_=17&is_active=true&page=3&limit=2&utm_source=x&__proto__=1&Limit=1' }),
    ]);
    expect(plain.json().results).toHaveLength(2);
    expect(cluttered.text).toBe(plain.text);
    expect(cluttered.status).toBe(200);
    expect(plain.headers).not.toHaveProperty(ignored);
  });

  test.each([
    ['_=17&utm_source=a&utm_campaign=b&page=2', '_, utm_*, page'],
    ['groups_in[]=1&groups_in[7]=2&x[]=1', 'groups_in[], other'],
    ['ann.celik@example.com=1&%E5=1&=1', 'other'],
    ['nonsense', 'other'],
  ])('?%s names them in a header and in the log, strangers as other', async (query, names) => {
    const received = await send(reporting, { query });
    expect(received.headers[ignored]).toBe(names);
    requireDescribed(listUsers.responses, received, { what: query });
    expect(lines).toMatchObject([{ status: 200, ignoredParameters: names.split(', ') }]);
    expect(lines[0]).not.toHaveProperty('unknownParameters');
  });

  test('says so to HEAD and of a file as well', async () => {
    expect((await send(reporting, { method: 'HEAD', query: 'page=2' })).headers[ignored]).toBe('page');
    const file = await send(reporting, { query: 'page=2&format=csv' });
    expect(file.headers[ignored]).toBe('page');
    requireDescribed(csv.responses, file, { what: 'a file' });
  });

  test.each(['limit=0', 'is_active=maybe', 'gender=x', 'ordering=nonsense', 'id_min=1&id_min=2', 'after=x&offset=1'])(
    'is refused all the same for %s, and for that alone',
    async (bad) => {
      const received = await send(reporting, { query: `${bad}&page=2` });
      expect(received.status).toBe(400);
      expect(Object.keys(received.problem().errors ?? {})).toEqual([bad.split('=')[0]]);
      expect(received.headers[ignored]).toBe('page');
      requireDescribed(listUsers.responses, received, { what: bad });
    },
  );

  test('tells a stranger nothing', async () => {
    const { status, headers } = await send(reporting, { query: 'page=2', key: 'nobody' });
    expect(status).toBe(401);
    expect(headers).not.toHaveProperty(ignored);
  });
});

test('where they are refused, as they are by default, nothing says that they were ignored', async () => {
  const refusing = await loadHandler(database.url);
  const { status, headers } = await send(refusing, { query: 'page=2&is_active=true', key: keys.cat });
  expect(status).toBe(400);
  expect(headers).not.toHaveProperty(ignored);
  expect(lines).toMatchObject([{ status: 400, unknownParameters: ['page'] }]);
  expect(lines[0]).not.toHaveProperty('ignoredParameters');
});

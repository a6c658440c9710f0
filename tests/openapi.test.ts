import { spawnSync } from 'node:child_process';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { parameters } from '../lib/users/query.ts';
import { toOpenApi } from '../openapi/document.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { committed, csv, decompress, inProse, listUsers, requireDescribed, requireValid } from './setup/described.ts';
import { allowedTexts, refusedTexts } from './setup/parameter-values.ts';
import { loadHandler, type Received, send } from './setup/request.ts';
import { requestsOfAllKinds, statusOf, toQuery } from './setup/sent-requests.ts';

test('the committed document is the one that the tables make; npm run openapi makes it', async () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(toOpenApi())));
});

test('the linter has nothing to say', () => {
  const { status, stdout, stderr } = spawnSync('node_modules/.bin/redocly', ['lint', 'openapi.json', '--format=json'], {
    encoding: 'utf8',
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });
  expect(status, stdout + stderr).toBe(0);
  expect(JSON.parse(stdout).totals).toEqual({ errors: 0, warnings: 0, ignored: 0 });
});

test('whole numbers have bounds, and no format that typed clients would make bigints of', () => {
  expect(JSON.stringify(committed)).not.toContain('int64');
});

test('a user, an inviter and a group have names of their own', () => {
  const { Group, Inviter, User } = committed.components.schemas;
  const inviter = { $ref: '#/components/schemas/Inviter' };
  expect(User?.properties?.['invited_by']).toMatchObject({ anyOf: [inviter, { type: 'null' }] });
  expect(User?.properties?.['groups_data']).toMatchObject({ items: { $ref: '#/components/schemas/Group' } });
  expect(Object.keys({ ...Inviter?.properties })).toEqual(['id', 'username', 'full_name']);
  expect(Object.keys({ ...Group?.properties })).toEqual(['id', 'name']);
});

const documented = [...listUsers.parameters, ...csv.parameters];

test('the list is the only operation, and has its parameters in itself', () => {
  expect(Object.entries(committed.paths).map(([path, item]) => [path, Object.keys(item)])).toEqual([
    ['/api/users/', ['get']],
  ]);
  expect(documented.map(({ name }) => name)).toEqual(Object.keys(parameters));
});

test('a page is the only kind of answer that succeeds, and a problem the only other: CSV is described apart', () => {
  const kinds = Object.entries(listUsers.responses).map(([status, { content = {} }]) => [
    status,
    ...Object.keys(content),
  ]);
  const problems = kinds.slice(1).map(([status]) => [status, 'application/problem+json']);
  expect(kinds).toEqual([['200', 'application/json'], ...problems]);
  expect(Object.keys(csv.responses[200]?.content ?? {})).toEqual(['text/csv']);
});

test('every example of an answer is as its schema says', () => {
  for (const [status, { content = {} }] of [listUsers, csv].flatMap(({ responses }) => Object.entries(responses))) {
    expect(Object.keys(content), status).not.toEqual([]);
    for (const { schema, example, examples = {} } of Object.values(content)) {
      const values = [example, ...Object.values(examples).map(({ value }) => value)].filter(Boolean);
      expect(values.length, status).toBeGreaterThan(0);
      for (const value of values) requireValid(schema, value, status);
    }
  }
});

// In this order: the last one holds what the others have seen.
describe('every answer is as the document says', { shuffle: false }, () => {
  let database: TestDatabase;
  let handler: Handler;
  let validated = 0;
  let files = 0;
  const seen = new Set<number>();

  beforeAll(async () => {
    database = await openTestDatabase();
    handler = await loadHandler(database.url);
  });
  afterAll(() => console.info(`${validated} answers validated`));

  /** Other methods and other paths are described in prose. */
  function validate(sent: { method?: string; path?: string }, received: Received, what: string): void {
    const { method = 'GET', path = '/api/users/' } = sent;
    const isOfList = path === '/api/users/' && (method === 'GET' || method === 'HEAD');
    const isCsv = received.headers['Content-Type']?.startsWith('text/csv');
    const ofList = isCsv ? csv.responses : listUsers.responses;
    requireDescribed(isOfList ? ofList : inProse, received, { method, what });
    if (isCsv && method === 'GET') files += 1;
    seen.add(received.status);
    validated += 1;
  }

  test('to requests of all kinds, and has the status that the document lets one expect', async () => {
    for (const sent of requestsOfAllKinds(documented, 400)) {
      const { given, method, headers } = sent;
      const received = await send(handler, sent);
      const what = `${method} ${sent.path}?${sent.query} (${JSON.stringify(headers)})`;
      validate(sent, received, what);

      expect(received.status, what).toBe(statusOf(sent));
      if (received.status !== 400 || method === 'HEAD') continue;
      const refused = given.filter(({ name, allowed }) => !allowed && name !== 'format').map(({ name }) => name);
      const { errors } = JSON.parse(decompress(received));
      expect(Object.keys(errors).sort(), what).toEqual(refused.sort());
    }
  });

  test('to a query that is too long for a redirect', async () => {
    const sent = { path: '/api/users', query: `search=${'x'.repeat(8000)}` };
    for (const method of ['GET', 'HEAD']) {
      const received = await send(handler, { ...sent, method });
      expect(received.status).toBe(414);
      validate({ ...sent, method }, received, method);
    }
  });

  test.each(documented)('to $name, whose allowed values are a 200 and whose others are not', async (parameter) => {
    const { name, example } = parameter;
    // The examples of cursors are of another offset, and so wait for one.
    for (const text of [...allowedTexts(parameter), [example].flat().join()]) {
      const query = toQuery([{ name, text }]);
      const received = await send(handler, { query });
      validate({}, received, query);
      expect(received.status, query).toBe(200);
    }
    for (const text of refusedTexts(parameter)) {
      const query = toQuery([{ name, text }]);
      const received = await send(handler, { query });
      validate({}, received, query);
      expect(received.status, query).toBe(name === 'format' ? 406 : 400);
      if (name !== 'format') expect(Object.keys(received.problem().errors ?? {}), query).toEqual([name]);
    }
  });

  test('to lists with commas and to those of repeated names, which are the same', async () => {
    const lists = documented.filter(({ schema }) => schema.type === 'array');
    expect(lists.map(({ name }) => name).sort()).toEqual(['groups_in', 'id_in', 'ordering']);
    for (const { name, explode, description, example } of lists) {
      expect({ explode, description }, name).toEqual({
        explode: false,
        description: expect.stringContaining('repeated'),
      });
      const values = [example].flat().map(String);
      const [joined, repeated] = [[values.join()], values].map((texts) =>
        toQuery(texts.map((text) => ({ name, text }))),
      );
      const answers = [await send(handler, { query: joined ?? '' }), await send(handler, { query: repeated ?? '' })];
      for (const received of answers) validate({}, received, name);
      expect(answers[0]?.json(), name).toEqual(answers[1]?.json());
    }
  });

  test('to the cursors of a walk through the pages', async () => {
    const queries = ['limit=2&ordering=-last_login'];
    for (const query of queries) {
      const received = await send(handler, { query });
      validate({}, received, query);
      const { next, previous } = received.json();
      for (const url of [next, previous].filter((url) => url !== null)) {
        const { search } = new URL(url);
        if (!queries.includes(search.slice(1))) queries.push(search.slice(1));
      }
    }
    expect(queries.filter((query) => query.includes('after='))).toHaveLength(3);
    expect(queries.filter((query) => query.includes('before='))).toHaveLength(2);
  });

  test('to a database that is not there, and to one that fails', async () => {
    const lost = await send(await loadHandler('postgres://nobody@127.0.0.1:1/none'));
    validate({}, lost, 'lost');
    await sql`alter table user_presence rename to presence`.execute(database.db);
    await sql`create view user_presence as
      select user_id, last_seen_at + interval '1 s' / (user_id - user_id) as last_seen_at from presence`.execute(
      database.db,
    );
    const failed = await send(handler);
    validate({}, failed, 'failed');
    expect([lost.status, failed.status]).toEqual([503, 500]);
  });

  test('and no status is documented that no request has seen', () => {
    const statuses = (answers: object) => Object.keys(answers).map(Number);
    expect([...seen].sort()).toEqual([...statuses(listUsers.responses), ...statuses(inProse)].sort());
    for (const status of statuses(inProse)) expect(committed.info.description).toContain(` ${status}`);
    expect(validated).toBeGreaterThan(700);
    expect(files).toBeGreaterThan(20);
  });
});

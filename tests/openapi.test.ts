import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from '../lib/http.ts';
import type { Schema } from '../lib/parameters.ts';
import { toOpenApi } from '../openapi/document.ts';
import { openTestDatabase } from './database.ts';
import { keys } from './people.ts';
import { loadHandler, type Received, send } from './request.ts';

type Header = { required?: boolean; schema: object };
type Answer = { headers?: Record<string, Header>; content?: Record<string, { schema: object }> };
type Operation = { responses: Record<string, Answer> };
type Parameter = { name: string; schema: Schema; example: unknown };
type Path = { parameters?: Parameter[] } & Record<'get' | 'head' | 'options', Operation>;
type Document = { paths: Record<'/api/users/' | '/api/users', Path> };

const committed = JSON.parse(readFileSync('openapi.json', 'utf8')) as Document;

test('the committed document is the one that the tables make; npm run openapi makes it', async () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(await toOpenApi())));
});

test('the linter has nothing to say', () => {
  const { status, stdout, stderr } = spawnSync('node_modules/.bin/redocly', ['lint', 'openapi.json', '--format=json'], {
    encoding: 'utf8',
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });
  expect(status, stdout + stderr).toBe(0);
  expect(JSON.parse(stdout).totals).toEqual({ errors: 0, warnings: 0, ignored: 0 });
});

/** The document with references in place of names: a validator of answers wants whole schemas. */
function resolve<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(resolve) as Value;
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value) {
    const path = String(value.$ref).split('/').slice(1);
    return resolve(path.reduce((node, name) => (node as Record<string, unknown>)[name], committed as unknown)) as Value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each)])) as Value;
}

const { paths } = resolve(committed);
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);

function requireValid(schema: object, value: unknown, what: string): void {
  const isValid = ajv.compile(schema)(value);
  expect(isValid ? [] : ajv.errors, `${what}: ${JSON.stringify(value)?.slice(0, 300)}`).toEqual([]);
}

let validated = 0;

/** Holds an answer against what the document says of its operation: status, headers, body. */
function requireDescribed(operation: Operation, { status, headers, text }: Received, what: string): void {
  const answer = operation.responses[status];
  if (!answer) throw new Error(`${what}: the document has no ${status}, only ${Object.keys(operation.responses)}`);
  for (const [name, { required, schema }] of Object.entries(answer.headers ?? {})) {
    if (required || headers[name] !== undefined) requireValid(schema, headers[name], `${what}: ${name}`);
  }
  if (answer.content) {
    const mediaType = headers['Content-Type']?.split(';')[0] ?? '';
    expect(Object.keys(answer.content), what).toContain(mediaType);
    const schema = answer.content[mediaType]?.schema ?? false;
    requireValid(schema as object, mediaType === 'text/csv' ? text : JSON.parse(text), what);
  } else {
    expect(text, what).toBe('');
  }
  validated += 1;
}

const list = paths['/api/users/'];

/** Values by a parameter's schema, and now and then one that it does not allow. */
function valuesOf({ name, schema, example }: Parameter): fc.Arbitrary<string> {
  const ofKind = {
    boolean: fc.constantFrom('true', 'false', '1', 'False'),
    integer: fc.integer({ min: Math.max(schema.minimum ?? 0, -5), max: 50 }).map(String),
    array: fc.constant([example].flat().join()),
    string: schema.enum
      ? fc.constantFrom(...schema.enum)
      : schema.format === 'date'
        ? fc.integer({ min: 1, max: 28 }).map((day) => `2026-02-${String(day).padStart(2, '0')}`)
        : name === 'after' || name === 'before'
          ? fc.constant('nonsense')
          : fc.constantFrom('a', 'ann', 'علی', '"van  dyk"', '50%'),
  }[schema.type];
  return fc.oneof({ weight: 15, arbitrary: ofKind }, { weight: 1, arbitrary: fc.string({ maxLength: 5 }) });
}

const queries = fc
  .subarray(list.parameters ?? [], { maxLength: 4 })
  .chain((chosen) => fc.record(Object.fromEntries(chosen.map((parameter) => [parameter.name, valuesOf(parameter)]))))
  .map((values) => new URLSearchParams(values as Record<string, string>).toString());

describe('every answer is as the document says', () => {
  let handler: Handler;

  beforeAll(async () => {
    handler = await loadHandler((await openTestDatabase()).url);
  });

  test('to queries of all kinds, with tokens of all kinds', { timeout: 120_000 }, async () => {
    const statuses = new Set<number>();
    const requests = fc.record({
      query: queries,
      key: fc.oneof(
        { weight: 8, arbitrary: fc.constant(keys.ann) },
        fc.constantFrom(keys.eve, keys.cy, 'nobody', 'a b'),
      ),
      method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'OPTIONS'),
      accept: fc.constantFrom('*/*', '*/*', 'application/json', 'text/csv', 'text/html'),
    });
    for (const { accept, ...sent } of fc.sample(requests, { numRuns: 300, seed: 1 })) {
      const received = await send(handler, { ...sent, headers: { accept } });
      statuses.add(received.status);
      const operation = list[sent.method.toLowerCase() as 'get' | 'head' | 'options'];
      requireDescribed(operation, received, `${sent.method} ?${sent.query} (${accept})`);
    }
    expect([...statuses].sort()).toEqual([200, 204, 400, 401, 403, 406]);
  });

  test('to each parameter with its own example', async () => {
    for (const { name, example } of list.parameters ?? []) {
      const query = `${name}=${encodeURIComponent([example].flat().join())}`;
      const received = await send(handler, { query });
      requireDescribed(list.get, received, query);
      // The examples of cursors are of another offset, and so wait for one.
      expect(received.status, query).toBe(200);
    }
  });

  test('to the path without its slash, and to methods that there are not', async () => {
    requireDescribed(
      paths['/api/users'].get,
      await send(handler, { path: '/api/users', query: 'limit=5' }),
      'redirect',
    );
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      requireDescribed(list.get, await send(handler, { method }), method);
    }
  });

  test('to a database that is not there', async () => {
    const lost = await loadHandler('postgres://nobody@127.0.0.1:1/none');
    const received = await send(lost);
    expect(received.status).toBe(503);
    requireDescribed(list.get, received, 'lost');
    expect(validated).toBeGreaterThan(330);
  });
});

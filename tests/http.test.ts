import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  badRequest,
  databaseUnavailable,
  forbidden,
  HttpError,
  methodNotAllowed,
  notAcceptable,
  notARequest,
  notFound,
  timeLimitExceeded,
  unauthorized,
  uriTooLong,
} from '../lib/http/errors.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { ok } from '../lib/http/responses.ts';
import { route } from '../lib/http/route.ts';
import type { Request, Response } from '../lib/request.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { keys } from './setup/people.ts';
import { loadHandler, type Received, receive, send, toEvent } from './setup/request.ts';

let database: TestDatabase;
let handler: Handler;

beforeAll(async () => {
  database = await openTestDatabase();
  handler = await loadHandler(database.url);
});

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** A function at /api/users/ that answers as the test says. */
const answering = (answer: (request: Request) => Promise<Response>, publicUrl?: string): Handler =>
  route(['/api/users/'], { publicUrl, auditLog: false }, answer);

const spellings = ['/api/users/', '/api/users'];

describe('the route', () => {
  test.each([
    '/',
    '',
    '/api',
    '/api/',
    '/api/users//',
    '//api/users/',
    '/api/users/1/',
    '/api/user/',
    '/API/USERS/',
    '/api/users/?',
    '/api/users%2F',
    '/dev/api/users/',
    '/api/users/../users/',
  ])('%j is a 404', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
      const { status, problem } = await send(handler, { path, method, key: 'none' });
      expect(status).toBe(404);
      if (method === 'GET')
        expect(problem()).toEqual({ type: 'about:blank', title: 'Not Found', status: 404, detail: 'Not found.' });
    }
  });

  test.each(spellings)('at %s other methods are a 405 that names the allowed ones', async (path) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'get']) {
      const { status, headers, problem } = await send(handler, { path, method, key: 'none', query: 'limit=x' });
      expect(status).toBe(405);
      expect(headers['Allow']).toBe('GET, HEAD, OPTIONS');
      expect(problem().detail).toBe(`Method "${method}" not allowed.`);
    }
  });

  test.each(spellings)('at %s OPTIONS is a 204 without authentication', async (path) => {
    const { status, headers, bytes } = await send(handler, { path, method: 'OPTIONS', key: 'none', query: 'limit=x' });
    expect(status).toBe(204);
    expect(headers['Allow']).toBe('GET, HEAD, OPTIONS');
    expect(headers).not.toHaveProperty('Content-Length'); // RFC 9110, 8.6
    expect(headers).not.toHaveProperty('Content-Type');
    expect(bytes).toHaveLength(0);
  });
});

describe('the path without its slash', () => {
  const locationOf = async (query: string, method = 'GET', stage?: string) => {
    const { status, headers, bytes } = await send(handler, {
      path: '/api/users',
      query,
      method,
      key: 'none',
      ...(stage && { stage }),
    });
    expect(status).toBe(301);
    expect(bytes).toHaveLength(0);
    expect(headers['Content-Length']).toBe('0');
    return headers['Location'];
  };

  test.each([
    '',
    'limit=5&offset=10',
    'a=%D8%B9&b=%zz&c=%',
    'q=+%20&&==',
    'x=!#$&\'()*,/:;=?@[]~|\\^`{}"<>',
    'limit=1&limit=2',
    '?',
  ])('with %j leads to the same query, byte for byte', async (query) => {
    for (const method of ['GET', 'HEAD']) {
      expect(await locationOf(query, method)).toBe(query === '' ? '/api/users/' : `/api/users/?${query}`);
    }
  });

  test('keeps the stage', async () => {
    expect(await locationOf('limit=5', 'GET', 'dev')).toBe('/dev/api/users/?limit=5');
  });

  test('keeps the path of PUBLIC_URL', async () => {
    const configured = answering(async () => ok('{}'), 'https://api.example.com/v1');
    expect((await send(configured, { path: '/api/users', query: 'limit=5' })).headers['Location']).toBe(
      '/v1/api/users/?limit=5',
    );
  });

  test.each([
    ['a=1\r\nSet-Cookie: b=2', 'a=1%0D%0ASet-Cookie:%20b=2'],
    ['\0', '%00'],
    ['é😀', '%C3%A9%F0%9F%98%80'],
    ['\ud800', '%EF%BF%BD'],
  ])('encodes what a header cannot carry in %j', async (query, encoded) => {
    expect(await locationOf(query)).toBe(`/api/users/?${encoded}`);
  });

  test('makes a header of any query', async () => {
    const codeUnit = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: codeUnit }), async (query) => {
        expect(await locationOf(query)).toMatch(/^\/api\/users\/(\?[\x21-\x7e]+)?$/);
      }),
    );
  });
});

/** An event as API Gateway sent it, whole; the key and the addresses are made up. */
const recorded: APIGatewayProxyEventV2 = {
  version: '2.0',
  routeKey: '$default',
  rawPath: '/api/users/',
  rawQueryString: 'limit=2&search=%C3%87elik&groups_in=1,2',
  cookies: ['session=1'],
  headers: {
    accept: '*/*',
    'accept-encoding': 'identity',
    authorization: `Token ${keys.ann}`,
    'content-length': '0',
    host: 'abcdef1234.execute-api.eu-central-1.amazonaws.com',
    'user-agent': 'python-requests/2.32.3',
    'x-amzn-trace-id': 'Root=1-65e1f0c3-0123456789abcdef01234567',
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-port': '443',
    'x-forwarded-proto': 'https',
  },
  queryStringParameters: { groups_in: '1,2', limit: '2', search: 'Çelik' },
  requestContext: {
    accountId: '123456789012',
    apiId: 'abcdef1234',
    domainName: 'abcdef1234.execute-api.eu-central-1.amazonaws.com',
    domainPrefix: 'abcdef1234',
    http: {
      method: 'GET',
      path: '/api/users/',
      protocol: 'HTTP/1.1',
      sourceIp: '192.0.2.1',
      userAgent: 'python-requests/2.32.3',
    },
    requestId: 'JKJaXmPLvHcESHA=',
    routeKey: '$default',
    stage: '$default',
    time: '21/Feb/2026:07:20:25 +0000',
    timeEpoch: 1771658425338,
  },
  isBase64Encoded: false,
};

describe('an event of API Gateway', () => {
  const atStage = (stage: string, rawPath: string): APIGatewayProxyEventV2 => ({
    ...recorded,
    rawPath,
    requestContext: { ...recorded.requestContext, stage },
  });
  const withQuery = (rawQueryString: string, queryStringParameters: Record<string, string> = {}) => ({
    ...recorded,
    rawQueryString,
    queryStringParameters,
  });
  const without = (...keys: string[]) =>
    Object.fromEntries(
      Object.entries(recorded).filter(([key]) => !keys.includes(key)),
    ) as unknown as APIGatewayProxyEventV2;

  test('is answered with who is sought', async () => {
    const { status, json, headers } = await receive(handler, recorded);
    expect(status).toBe(200);
    expect(json()).toMatchObject({ count: 1, next: null, results: [{ username: 'ann' }] });
    expect(headers['X-Request-Id']).toBe('JKJaXmPLvHcESHA=');
  });

  test.each<[what: string, event: APIGatewayProxyEventV2, status: number]>([
    ['of a stage', atStage('dev', '/dev/api/users/'), 200],
    ['of a stage whose name the path begins with', atStage('api', '/api/api/users/'), 200],
    ['of a stage that a custom domain hides', atStage('dev', '/api/users/'), 200],
    [
      'of a stage that is called as the path begins, and that a custom domain hides',
      atStage('api', '/api/users/'),
      200,
    ],
    ['of a stage alone', atStage('dev', '/dev'), 404],
    ['of a path that only begins like the stage', atStage('dev', '/develop/api/users/'), 404],
    ['of the stage twice', atStage('dev', '/dev/dev/api/users/'), 404],
    ['with a parameter twice, which the gateway joins', withQuery('limit=1&limit=2', { limit: '1,2' }), 400],
    ['with a list twice', withQuery('groups_in=1&groups_in=2', { groups_in: '1,2' }), 200],
    ['with a parameter twice alike', withQuery('limit=1&limit=1', { limit: '1,1' }), 200],
    ['with a list', withQuery('groups_in=1%2C2', { groups_in: '1,2' }), 200],
    ['with malformed bytes', withQuery('search=%E4%F6%FC', { search: '\ufffd\ufffd\ufffd' }), 400],
    ['with a lone percent sign', withQuery('search=100%', { search: '100%' }), 400],
    ['with an encoded percent sign', withQuery('search=100%25', { search: '100%' }), 200],
    ['with empty pieces', withQuery('&&limit=1&&'), 200],
    ['without a query', withQuery(''), 200],
    ['without rawQueryString', without('rawQueryString', 'queryStringParameters'), 200],
    ['without cookies and a body', without('cookies', 'body', 'isBase64Encoded'), 200],
    ['without headers', without('headers'), 401],
    ['with a body', { ...recorded, body: 'bGltaXQ9MA==', isBase64Encoded: true }, 200],
  ])('%s is answered', async (_, event, status) => {
    expect((await receive(handler, event)).status).toBe(status);
  });

  test.each<[publicUrl: string, stage: string, rawPath: string, path: string]>([
    ['https://api.example.com/v1', '$default', '/v1/api/users/', '/api/users/'],
    ['https://api.example.com/v1', '$default', '/api/users/', '/api/users/'],
    ['https://api.example.com/v1', 'dev', '/dev/api/users/', '/api/users/'],
    ['https://api.example.com/v1', 'dev', '/v1/api/users/', '/api/users/'],
    ['https://api.example.com/v1/staff', '$default', '/v1/staff/api/users', '/api/users'],
    ['https://api.example.com/api', '$default', '/api/api/users/', '/api/users/'],
    ['https://api.example.com/api', '$default', '/api/users/', '/api/users/'],
    ['https://api.example.com/v1', '$default', '/v10/api/users/', '/v10/api/users/'],
    ['https://api.example.com/v1', '$default', '/v1/users/', '/v1/users/'],
    ['https://api.example.com', '$default', '//api/users/', '//api/users/'],
  ])('behind %s, of stage %s, with the path %s is one for %s', async (publicUrl, stage, rawPath, path) => {
    const seen: Request[] = [];
    const handler = route([path, `${path}/`], { publicUrl, auditLog: false }, async (request) => {
      seen.push(request);
      return ok('{}');
    });
    const { status, headers } = await receive(handler, atStage(stage, rawPath));
    if (status === 200) expect(seen).toMatchObject([{ path, baseUrl: publicUrl }]);
    else expect(headers['Location']).toMatch(`${publicUrl}${path}/`);
  });

  test('becomes a request', async () => {
    const seen: Request[] = [];
    await receive(
      answering(async (request) => {
        seen.push(request);
        return ok('{}');
      }),
      { ...recorded, ...atStage('dev', '/dev/api/users/') },
    );
    expect(seen).toMatchObject([
      {
        id: 'JKJaXmPLvHcESHA=',
        method: 'GET',
        path: '/api/users/',
        rawQuery: 'limit=2&search=%C3%87elik&groups_in=1,2',
        headers: recorded.headers,
        baseUrl: 'https://abcdef1234.execute-api.eu-central-1.amazonaws.com/dev',
      },
    ]);
  });
});

describe('HEAD', () => {
  const comparable = ({ status, headers }: Received) => {
    const { 'Server-Timing': _, ...others } = headers;
    return { status, headers: others };
  };

  test.each<[what: string, sent: Parameters<typeof send>[1]]>([
    ['a page', {}],
    ['a small page', { query: 'id_min=100' }],
    ['a compressed page', { headers: { 'accept-encoding': 'gzip' } }],
    ['a 301', { path: '/api/users', query: 'limit=5' }],
    ['a 400', { query: 'limit=x' }],
    ['a 401', { key: 'unknown' }],
    ['a 403', { key: keys.eve }],
    ['a 404', { path: '/' }],
  ])('has the headers of GET for %s, and no body', async (_, sent = {}) => {
    const get = await send(handler, sent);
    const head = await send(handler, { ...sent, method: 'HEAD' });
    expect(comparable(head)).toEqual(comparable(get));
    expect(head.bytes).toHaveLength(0);
    expect(get.headers['Content-Length']).toBe(String(get.bytes.length));
  });
});

describe('a body', () => {
  const large = ['["', 'ü😀علی'.repeat(200), '"]'];
  const plain = Buffer.from(large.join(''));
  const sendLarge = (accept?: string) =>
    send(
      answering(async () => ok(large)),
      { headers: accept === undefined ? {} : { 'accept-encoding': accept } },
    );

  test.each<[accept: string | undefined, encoding: 'br' | 'gzip' | undefined]>([
    [undefined, undefined],
    ['', undefined],
    [' ,', undefined],
    [', gzip', 'gzip'],
    ['identity', undefined],
    ['deflate, zstd', undefined],
    ['x-gzip', undefined],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['br', 'br'],
    ['gzip, deflate', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['*', 'br'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.000, br;q=0', undefined],
    ['*;q=0', undefined],
    ['identity, *;q=0', undefined],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['gzip;q=0.9, br;q=0.8', 'gzip'],
    ['gzip;q=0.5,br;q=0.5', 'br'],
    ['gzip ; q=0.001', 'gzip'],
    ['br;q=nonsense', undefined],
  ])('is sent to Accept-Encoding %j as %s', async (accept, encoding) => {
    const { headers, bytes } = await sendLarge(accept);
    expect(headers['Content-Encoding']).toBe(encoding);
    expect(headers['Vary']).toBe('Accept-Encoding');
    expect(headers['Content-Length']).toBe(String(bytes.length));
    const decode = { br: brotliDecompressSync, gzip: gunzipSync };
    expect((encoding ? decode[encoding](bytes) : bytes).equals(plain)).toBe(true);
    if (encoding) expect(bytes.length).toBeLessThan(plain.length / 4);
  });

  test('is compressed from 1025 bytes up, whatever their number of characters', async () => {
    const encodingOf = async (text: string) => {
      const { headers } = await send(
        answering(async () => ok(JSON.stringify(text))),
        { headers: { 'accept-encoding': 'gzip' } },
      );
      return [headers['Content-Encoding'], headers['Vary']];
    };
    expect(await encodingOf('x'.repeat(1022))).toEqual([undefined, undefined]); // and two quotes
    expect(await encodingOf('x'.repeat(1023))).toEqual(['gzip', 'Accept-Encoding']);
    expect(await encodingOf('ü'.repeat(512))).toEqual(['gzip', 'Accept-Encoding']);
  });

  test('holds nothing of a larger one before it', async () => {
    await sendLarge('gzip');
    const small = JSON.stringify('x'.repeat(1100));
    const { bytes } = await send(
      answering(async () => ok(small)),
      { headers: { 'accept-encoding': 'gzip' } },
    );
    expect(gunzipSync(bytes).toString()).toBe(small);
  });

  test('of the list is the same, compressed or not', async () => {
    const { bytes } = await send(handler);
    const gzip = await send(handler, { headers: { 'accept-encoding': 'gzip' } });
    const br = await send(handler, { headers: { 'accept-encoding': 'br' } });
    expect(gunzipSync(gzip.bytes).equals(bytes)).toBe(true);
    expect(brotliDecompressSync(br.bytes).equals(bytes)).toBe(true);
  });
});

describe('an answer as Lambda gets it', () => {
  const maxBytes = 6_291_556;
  const handedOn = async (body: Response['body'], sent: { method?: string; headers?: Record<string, string> } = {}) => {
    const result = await answering(async () => ({ ...ok(''), body }))(toEvent(sent));
    return { status: result.statusCode, bytes: Buffer.byteLength(JSON.stringify(result)), result };
  };

  // Times differ in length from one answer to the next: `9.9` here, `10.1` there.
  beforeEach(() => void vi.spyOn(performance, 'now').mockReturnValue(0));

  /** What is around the body, in bytes, where the body has seven digits of them. */
  const around = async () => (await handedOn('x'.repeat(1_000_001))).bytes - 1_000_001;

  test.each<[what: string, unit: string, bytesOfUnit: number]>([
    ['plain text', 'x', 1],
    ['letters of two bytes', 'ü', 2],
    ['letters of three bytes', '葛', 3],
    ['characters of four bytes', '😀', 4],
    ['quotes', '"', 2],
    ['backslashes', '\\', 2],
    ['line ends', '\r\n', 4],
    ['control characters', '\u001f', 6],
    ['lone surrogates', '\ud800', 6],
    ['line separators, which JSON leaves alone', '\u2028', 3],
    ['deletes, which JSON leaves alone', '\x7f', 1],
  ])('is refused above 6,291,556 bytes of JSON, and not below: %s', async (_, unit, bytesOfUnit) => {
    const room = maxBytes - (await around());
    const within = Math.floor(room / bytesOfUnit);
    for (const split of [(text: string) => text, (text: string) => [text, '']]) {
      const fits = await handedOn(split(unit.repeat(within)));
      expect(fits.status).toBe(200);
      expect(fits.bytes).toBe(maxBytes - (room % bytesOfUnit));
      expect((await handedOn(split(unit.repeat(within + 1)))).status).toBe(400);
    }
  });

  test('is measured compressed and in base64 where it is sent so', async () => {
    const gzip = { headers: { 'accept-encoding': 'gzip' } };
    expect((await handedOn('x'.repeat(20_000_000), gzip)).status).toBe(200);
    expect((await handedOn(randomBytes(5_000_000).toString('latin1'), gzip)).status).toBe(400);
    const packed = (bytes: number) => handedOn({ gzip: Buffer.alloc(bytes), br: Buffer.alloc(0) }, gzip);
    const { bytes } = await packed(3_000_000);
    const within = 3_000_000 + Math.floor((maxBytes - bytes) / 4) * 3; // three bytes are four characters
    expect(await packed(within)).toMatchObject({ status: 200, bytes: maxBytes - ((maxBytes - bytes) % 4) });
    expect((await packed(within + 3)).status).toBe(400);
  });

  test('says how to ask for less when it is refused; HEAD is answered as GET would be', async () => {
    const large = 'x'.repeat(maxBytes);
    const get = await answering(async () => ok(large))(toEvent({}));
    expect(JSON.parse(get.body ?? '')).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'The answer is too large. Allow a compressed one (Accept-Encoding: gzip), or ask for less with `limit`.',
    });
    const packed = await answering(async () => ok('x'.repeat(5000)))(
      toEvent({ method: 'HEAD', headers: { 'accept-encoding': 'gzip' } }),
    );
    expect([packed.statusCode, packed.body, packed.isBase64Encoded]).toEqual([200, '', false]);
    const head = await answering(async () => ok(large))(toEvent({ method: 'HEAD' }));
    expect(head.statusCode).toBe(400);
    expect(head.body).toBe('');
    expect({ ...head.headers, 'Server-Timing': '' }).toEqual({ ...get.headers, 'Server-Timing': '' });
  });
});

describe('every answer', () => {
  const duration = String.raw`;dur=\d+\.\d`;

  test.each<[status: number, sent: Parameters<typeof send>[1], timed: string[]]>([
    [200, {}, ['auth', 'db', 'total']],
    [204, { method: 'OPTIONS' }, ['total']],
    [301, { path: '/api/users' }, ['total']],
    [400, { query: 'limit=x' }, ['auth', 'total']],
    [401, { key: 'unknown' }, ['auth', 'total']],
    [403, { key: keys.eve }, ['auth', 'total']],
    [404, { path: '/' }, ['total']],
    [405, { method: 'POST' }, ['total']],
  ])(
    '%i may not be stored, is taken for what it says, and tells its request and its times',
    async (status, sent, timed) => {
      const answer = await send(handler, sent);
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject({
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'X-Request-Id': 'request-1',
        'X-Version': 'unbuilt',
      });
      expect(answer.headers['Server-Timing']).toMatch(
        new RegExp(`^${timed.map((stage) => stage + duration).join(', ')}$`),
      );
      if (status >= 400) expect(answer.headers['Content-Type']).toBe('application/problem+json');
      if (status === 200) expect(answer.headers['Content-Type']).toBe('application/json');
    },
  );
});

describe('an error', () => {
  const failing = (error: unknown) => answering(() => Promise.reject(error));
  const secret = 'select password from users where token = f00';

  test.each<[what: string, error: unknown]>([
    ['an Error', new Error(secret)],
    [
      'an Error that looks like an answer',
      Object.assign(new Error(secret), { status: 200, statusCode: 200, headers: { a: secret } }),
    ],
    ['a text', secret],
    ['an object', { detail: secret, errors: { a: [secret] } }],
    ['null', null],
    ['undefined', undefined],
  ])('of ours, %s, is a 500 that tells no more than the request', async (_, error) => {
    const { status, headers, problem, text } = await send(failing(error));
    expect(status).toBe(500);
    expect(problem()).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'The request failed. Its id, for the operators: request-1',
    });
    expect(text + JSON.stringify(headers)).not.toMatch(/select|password|f00|\.ts\b/);
    expect(headers['X-Request-Id']).toBe('request-1');
    expect(console.error).toHaveBeenCalledTimes(1);
  });

  test.each<[error: HttpError, title: string, detail: string, headers?: Record<string, string>]>([
    [
      badRequest({ limit: ['Too small.', 'Too round.'], id_min: ['Odd.'] }),
      'Bad Request',
      'limit: Too small. Too round. id_min: Odd.',
    ],
    [notARequest(), 'Bad Request', 'Expected an HTTP request of API Gateway, payload 2.0 or 1.0.'],
    [unauthorized('No.'), 'Unauthorized', 'No.', { 'WWW-Authenticate': 'Token' }],
    [forbidden(), 'Forbidden', 'You do not have permission to perform this action.'],
    [notFound(), 'Not Found', 'Not found.'],
    [methodNotAllowed('PUT', 'GET'), 'Method Not Allowed', 'Method "PUT" not allowed.', { Allow: 'GET' }],
    [notAcceptable('Expected JSON.'), 'Not Acceptable', 'Expected JSON.'],
    [
      uriTooLong('/here/'),
      'URI Too Long',
      'The query is too long for a redirect. Ask at /here/, with the slash at its end.',
    ],
    [
      databaseUnavailable('why'),
      'Service Unavailable',
      'The database cannot be reached at the moment. Try again in a few seconds.',
      { 'Retry-After': '5' },
    ],
    [timeLimitExceeded('Ask less.', 'why'), 'Service Unavailable', 'The query took longer than it may. Ask less.'],
  ])('that clients are told is exactly $title: $detail', async (error, title, detail, own = {}) => {
    const { status, headers, problem } = await send(failing(error));
    const { type, errors, ...told } = problem();
    expect(told).toEqual({ status, title, detail });
    expect([type, status, errors]).toEqual(['about:blank', error.status, error.errors]);
    const general = await send(failing(new HttpError(status, title, detail)));
    expect(Object.keys(headers).filter((name) => !(name in general.headers))).toEqual(Object.keys(own));
    expect(headers).toMatchObject(own);
  });

  test('of ours is the same when it is thrown before anything is awaited', async () => {
    const { status } = await send(
      answering(() => {
        throw new Error(secret);
      }),
    );
    expect(status).toBe(500);
  });

  test('of a statement says nothing of the database', async () => {
    await sql`alter function search_pattern(text) rename to kept_search_pattern`.execute(database.db);
    onTestFinished(async () => {
      await sql`drop function search_pattern(text)`.execute(database.db);
      await sql`alter function kept_search_pattern(text) rename to search_pattern`.execute(database.db);
    });
    await sql`
      create function search_pattern(term text) returns text
      language sql immutable strict parallel safe return (1 / (length(term) - length(term)))::text`.execute(
      database.db,
    );
    const { status, text } = await send(handler, { query: 'search=secret' });
    expect(status).toBe(500);
    expect(text).not.toMatch(/division|secret|search|select/);
  });

  test('of the client has its parameters by name, and is not logged', async () => {
    const { status, problem } = await send(
      failing(badRequest({ limit: ['Too small.', 'Too round.'], ['__proto__']: ['Odd.'] })),
    );
    expect(status).toBe(400);
    expect(problem()).toMatchObject({
      title: 'Bad Request',
      detail: expect.stringContaining('limit: Too small. Too round.'),
    });
    expect(problem().errors?.['limit']).toEqual(['Too small.', 'Too round.']);
    expect(console.error).not.toHaveBeenCalled();
  });

  test('keeps its own headers and hides its cause', async () => {
    const error = new HttpError(503, 'Service Unavailable', 'Later.', {
      headers: { 'Retry-After': '5' },
      cause: new Error(secret),
    });
    const { status, headers, text } = await send(failing(error));
    expect([status, headers['Retry-After']]).toEqual([503, '5']);
    expect(JSON.parse(text)).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: 'Later.',
    });
  });
});

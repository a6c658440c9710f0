import { gunzipSync } from 'node:zlib';
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { ok } from '../lib/http/responses.ts';
import { route } from '../lib/http/route.ts';
import type { Request } from '../lib/request.ts';
import { openTestDatabase } from './setup/database.ts';
import { keys } from './setup/people.ts';
import { loadHandler, receive, toEvent } from './setup/request.ts';

let handler: Handler;
let databaseUrl: string;
let lines: unknown[];

beforeAll(async () => {
  ({ url: databaseUrl } = await openTestDatabase());
  handler = await loadHandler(databaseUrl);
});

beforeEach(() => {
  lines = [];
  for (const method of ['log', 'error'] as const) {
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => void lines.push(...values));
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** An event as a REST API sends it (payload 1.0), whole; the key, the ids and the addresses are made up. */
const recorded: APIGatewayProxyEvent = {
  resource: '/{proxy+}',
  path: '/api/users/',
  httpMethod: 'GET',
  headers: {
    Accept: '*/*',
    'Accept-Encoding': 'identity',
    Authorization: `Token ${keys.ann}`,
    Host: 'abcdef1234.execute-api.eu-central-1.amazonaws.com',
    'User-Agent': 'python-requests/2.32.3',
    'X-Amzn-Trace-Id': 'Root=1-65e1f0c3-0123456789abcdef01234567',
    'X-Forwarded-For': '192.0.2.1',
    'X-Forwarded-Port': '443',
    'X-Forwarded-Proto': 'https',
  },
  multiValueHeaders: {
    Accept: ['*/*'],
    'Accept-Encoding': ['identity'],
    Authorization: [`Token ${keys.ann}`],
    Host: ['abcdef1234.execute-api.eu-central-1.amazonaws.com'],
    'User-Agent': ['python-requests/2.32.3'],
    'X-Amzn-Trace-Id': ['Root=1-65e1f0c3-0123456789abcdef01234567'],
    'X-Forwarded-For': ['192.0.2.1'],
    'X-Forwarded-Port': ['443'],
    'X-Forwarded-Proto': ['https'],
  },
  queryStringParameters: { limit: '2', search: 'Çelik', groups_in: '2' },
  multiValueQueryStringParameters: { limit: ['2'], search: ['Çelik'], groups_in: ['1', '2'] },
  pathParameters: { proxy: 'api/users' },
  stageVariables: null,
  requestContext: {
    resourceId: '123456',
    resourcePath: '/{proxy+}',
    httpMethod: 'GET',
    extendedRequestId: 'JKJaXmPLvHcESHA=',
    requestTime: '21/Feb/2026:07:20:25 +0000',
    path: '/dev/api/users/',
    accountId: '123456789012',
    protocol: 'HTTP/1.1',
    stage: 'dev',
    domainPrefix: 'abcdef1234',
    requestTimeEpoch: 1771658425338,
    requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
    identity: {
      cognitoIdentityPoolId: null,
      accountId: null,
      cognitoIdentityId: null,
      caller: null,
      sourceIp: '192.0.2.1',
      principalOrgId: null,
      accessKey: null,
      cognitoAuthenticationType: null,
      cognitoAuthenticationProvider: null,
      userArn: null,
      userAgent: 'python-requests/2.32.3',
      user: null,
      apiKey: null,
      apiKeyId: null,
      clientCert: null,
    },
    authorizer: null,
    domainName: 'abcdef1234.execute-api.eu-central-1.amazonaws.com',
    apiId: 'abcdef1234',
  },
  body: null,
  isBase64Encoded: false,
};

const base = 'https://abcdef1234.execute-api.eu-central-1.amazonaws.com/dev/api/users/';

/** Refused at length. */
const manyFlags = ['active', 'staff', 'admin', 'customer', 'online', 'profile_completed'].flatMap((flag) => [
  `is_${flag}`,
  `has_${flag}`,
]);

/** The same with another query, as a REST API takes it apart. */
function withQuery(query: Record<string, string[]> | null): APIGatewayProxyEvent {
  const last = query && Object.fromEntries(Object.entries(query).map(([name, values]) => [name, values.at(-1)]));
  return { ...recorded, multiValueQueryStringParameters: query, queryStringParameters: last };
}

describe('an event of a REST API', () => {
  test('is answered with who is sought', async () => {
    const { status, json, headers } = await receive(handler, recorded);
    expect(status).toBe(200);
    expect(json()).toMatchObject({ count: 1, next: null, results: [{ username: 'ann' }] });
    expect(headers['X-Request-Id']).toBe('c6af9ac6-7b61-11e6-9a41-93e8deadbeef');
    expect(lines).toMatchObject([{ status: 200, parameters: ['limit', 'search', 'groups_in'] }]);
  });

  test('becomes the request that an HTTP API would make of it', async () => {
    const seen: Request[] = [];
    const seeing = route(['/api/users/'], { publicUrl: undefined, auditLog: false }, async (request) => {
      seen.push(request);
      return ok('{}');
    });
    await receive(seeing, recorded);
    expect(seen).toMatchObject([
      {
        id: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
        method: 'GET',
        path: '/api/users/',
        rawQuery: 'limit=2&search=%C3%87elik&groups_in=1&groups_in=2',
        headers: { accept: '*/*', 'accept-encoding': 'identity', authorization: `Token ${keys.ann}` },
        baseUrl: 'https://abcdef1234.execute-api.eu-central-1.amazonaws.com/dev',
      },
    ]);
  });

  test.each<[written: string, takenApart: Record<string, string[]>]>([
    ['limit=1&gender=female', { limit: ['1'], gender: ['female'] }],
    ['search=%26limit%3D1%25+x', { search: ['&limit=1% x'] }],
    ['search=%2B98%20915', { search: ['+98 915'] }],
    ['search=%D8%B9%D9%84%DB%8C%20%F0%9F%98%80', { search: ['علی 😀'] }],
    ['search=a%22b%3Cc%3E%23d', { search: ['a"b<c>#d'] }],
    ['groups_in=1&groups_in=2&limit=1', { groups_in: ['1', '2'], limit: ['1'] }],
    ['limit=1&limit=2', { limit: ['1', '2'] }],
    ['gender=&limit=3', { gender: [''], limit: ['3'] }],
    ['groups_in%5B%5D=1', { 'groups_in[]': ['1'] }],
    ['search=%00', { search: ['\0'] }],
    ['__proto__=1', JSON.parse('{"__proto__":["1"]}')],
  ])('with the query %s is answered as by an HTTP API', async (query, takenApart) => {
    const ofRestApi = await receive(handler, withQuery(takenApart));
    const ofHttpApi = await receive(handler, toEvent({ query, stage: 'dev' }));
    expect(ofRestApi.text).toBe(ofHttpApi.text);
    expect(ofRestApi.headers['Link']).toBe(ofHttpApi.headers['Link']);
  });

  test('has links that are written anew, percent-encoded', async () => {
    const { json, headers } = await receive(handler, withQuery({ search: ['a, e'], limit: ['1'] }));
    expect(json().next).toMatch(
      new RegExp(`^${base}\\?after=[\\w-]+&limit=1&offset=1&search=a%2C(\\+|%20)e$`.replaceAll('.', '\\.')),
    );
    expect(headers['Link']).toContain(`<${json().next}>; rel="next"`);
  });

  test.each<[query: Record<string, string[]> | null, location: string]>([
    [null, '/dev/api/users/'],
    [{ limit: ['5'], search: ['é &\r\nx'] }, '/dev/api/users/?limit=5&search=%C3%A9%20%26%0D%0Ax'],
    [{ groups_in: ['1', '2'] }, '/dev/api/users/?groups_in=1&groups_in=2'],
    [{ search: ['\ud800'] }, '/dev/api/users/?search=%EF%BF%BD'],
  ])('without the slash and with the query %j leads to %s', async (query, location) => {
    const { status, headers } = await receive(handler, { ...withQuery(query), path: '/api/users' });
    expect([status, headers['Location']]).toEqual([301, location]);
  });

  test('is answered in bytes, as base64, where the client takes them compressed', async () => {
    const headers = { 'Accept-Encoding': ['gzip'] };
    const refused = withQuery(Object.fromEntries(manyFlags.map((name) => [name, ['x']])));
    const compressed = { ...refused, multiValueHeaders: { ...recorded.multiValueHeaders, ...headers } };
    expect(await handler(compressed)).toMatchObject({ isBase64Encoded: true });
    const [answer, plain] = [await receive(handler, compressed), await receive(handler, refused)];
    expect(answer.headers).toMatchObject({ 'Content-Encoding': 'gzip', 'Content-Length': String(answer.bytes.length) });
    expect(gunzipSync(answer.bytes).toString()).toBe(plain.text);
  });

  test('with HEAD is answered with the headers of GET, and without a body', async () => {
    const [get, head] = [await receive(handler, recorded), await receive(handler, { ...recorded, httpMethod: 'HEAD' })];
    expect(head.bytes).toHaveLength(0);
    const { 'Server-Timing': _, ...headers } = get.headers;
    expect(head.headers).toMatchObject(headers);
    expect(head.headers['Content-Length']).toBe(String(get.bytes.length));
  });

  test('without a token is a 401 that says so, before its query is read', async () => {
    const { status, headers } = await receive(handler, {
      ...withQuery({ limit: ['x'] }),
      headers: {},
      multiValueHeaders: {},
    });
    expect([status, headers['WWW-Authenticate']]).toEqual([401, 'Token']);
  });

  test('of a custom domain has links to what PUBLIC_URL says, without the stage', async () => {
    const mapped = await loadHandler(databaseUrl, { PUBLIC_URL: 'https://api.example.com/v1' });
    const event = { ...withQuery({ limit: ['1'] }), path: '/v1/api/users/' };
    const { json } = await receive(mapped, event);
    expect(json().next).toMatch(/^https:\/\/api\.example\.com\/v1\/api\/users\/\?/);
    const { headers } = await receive(mapped, { ...event, path: '/v1/api/users' });
    expect(headers['Location']).toBe('/v1/api/users/?limit=1');
  });

  const without = (...names: (keyof APIGatewayProxyEvent)[]) =>
    Object.fromEntries(Object.entries(recorded).filter(([name]) => !names.includes(name as never)));
  const withHeaders = (headers: Record<string, string[]>) => ({
    ...recorded,
    headers: {},
    multiValueHeaders: { ...recorded.multiValueHeaders, ...headers },
  });

  test.each<[what: string, event: unknown, status: number]>([
    ['without multiValueHeaders', without('multiValueHeaders'), 200],
    ['without multiValueQueryStringParameters', without('multiValueQueryStringParameters'), 200],
    ['without any query', withQuery(null), 200],
    ['without headers', { ...recorded, headers: null, multiValueHeaders: null }, 401],
    ['with another method', { ...recorded, httpMethod: 'POST' }, 405],
    ['with HEAD', { ...recorded, httpMethod: 'HEAD' }, 200],
    ['with OPTIONS', { ...recorded, httpMethod: 'OPTIONS' }, 204],
    ['of another path', { ...recorded, path: '/api/user/' }, 404],
    ['of a path with the stage', { ...recorded, path: '/dev/api/users/' }, 200],
    ['with a header of two values', withHeaders({ Accept: ['text/html', 'text/csv'] }), 200],
    ['with a header of two values of which none will do', withHeaders({ Accept: ['text/html', 'text/plain'] }), 406],
    ['with names in capitals', { ...recorded, multiValueHeaders: { AUTHORIZATION: [`Token ${keys.ann}`] } }, 200],
    ['of an HTTP API that was told to send payload 1.0', { ...recorded, version: '1.0' }, 200],
  ])('%s is answered', async (_, event, status) => {
    expect((await receive(handler, event)).status).toBe(status);
  });
});

describe('any other event is answered, said in the log, and not thrown', () => {
  const secret = 'hunter2';

  const expectRefused = async (event: unknown) => {
    const { status, headers, problem } = await receive(handler, event);
    expect(status).toBe(400);
    expect(headers['Content-Type']).toBe('application/problem+json');
    expect(problem()).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'Expected an HTTP request of API Gateway, payload 2.0 or 1.0.',
    });
    expect(lines).toEqual([
      {
        requestId: 'none',
        status: 400,
        version: 'unbuilt',
        event: 'not a request of API Gateway',
        durationsMs: expect.anything(),
      },
    ]);
  };

  const loadBalancer = {
    requestContext: {
      elb: { targetGroupArn: `arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/${secret}/1` },
    },
    httpMethod: 'GET',
    path: '/api/users/',
    queryStringParameters: { search: secret },
    headers: { authorization: `Token ${keys.ann}` },
    body: '',
    isBase64Encoded: false,
  };
  const schedule = {
    version: '0',
    id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '123456789012',
    time: '2026-02-21T07:20:25Z',
    region: 'eu-central-1',
    resources: [`arn:aws:events:eu-central-1:123456789012:rule/${secret}`],
    detail: {},
  };
  const queue = {
    Records: [
      {
        messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
        receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a',
        body: secret,
        attributes: { ApproximateReceiveCount: '1', SenderId: 'AIDAIENQZJOLO23YVJ4VO' },
        messageAttributes: {},
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:queue',
        awsRegion: 'eu-central-1',
      },
    ],
  };
  const webSocket = {
    requestContext: {
      routeKey: '$connect',
      eventType: 'CONNECT',
      connectionId: 'L0SM9cOFvHcCIhw=',
      requestId: 'L0SM9E6uvHcFhtA=',
      domainName: 'abcdef1234.execute-api.eu-central-1.amazonaws.com',
      stage: 'dev',
    },
    headers: { Authorization: secret },
    isBase64Encoded: false,
  };

  test.each<[what: string, event: unknown]>([
    ['null', null],
    ['nothing', undefined],
    ['an empty object', {}],
    ['a text', secret],
    ['a number', 7],
    ['a list', [secret]],
    ['a warm-up', { source: 'serverless-plugin-warmup' }],
    ['a schedule', schedule],
    ['a batch of a queue', queue],
    ["a load balancer's", loadBalancer],
    ["a web socket's", webSocket],
    ['an empty context', { requestContext: {} }],
    ['a context of null', { requestContext: null }],
    ['an HTTP request of null', { ...toEvent({}), requestContext: { ...toEvent({}).requestContext, http: null } }],
    ['an operator’s command', { command: 'issue-token', args: [secret] }],
  ])('%s', async (_, event) => {
    await expectRefused(event);
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|key-of/);
  });

  test('whatever it is, and whatever a part of a request is replaced by', async () => {
    const whole: unknown[] = [toEvent({}) satisfies APIGatewayProxyEventV2, recorded];
    /** The value with something else in one place. */
    const replaced = (value: unknown): fc.Arbitrary<unknown> =>
      typeof value !== 'object' || value === null
        ? fc.jsonValue()
        : fc.oneof(
            { weight: 1, arbitrary: fc.jsonValue() },
            {
              weight: 6,
              arbitrary: fc
                .constantFrom(...Object.keys(value))
                .chain((name) =>
                  replaced((value as Record<string, unknown>)[name]).map((part) => ({ ...value, [name]: part })),
                ),
            },
          );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), ...whole.map(replaced)), async (event) => {
        lines = [];
        const { status, headers } = await receive(handler, event);
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(500);
        expect(headers['X-Request-Id']).toBeTypeOf('string');
        expect(lines).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });
});

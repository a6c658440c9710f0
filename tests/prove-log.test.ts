import { describe, expect, test } from 'vitest';
import { readLog } from '../prove/access-log.ts';
import { collectQueries, namesOf, toShownName, without } from '../prove/queries.ts';

async function* linesOf(...lines: string[]) {
  yield* lines;
}

const collect = (...lines: string[]) => collectQueries(readLog(linesOf(...lines)), '/api/users/');

const cloudFront = (query: string) =>
  [
    '2026-02-21',
    '07:20:25',
    'FRA2-C1',
    '512',
    '192.0.2.1',
    'GET',
    'd1.cloudfront.net',
    '/api/users/',
    '200',
    '-',
    'python',
    query,
    '-',
  ].join('\t');

describe('a line of', () => {
  test.each<[format: string, query: string, ...lines: string[]]>([
    [
      'nginx, combined',
      'limit=5&is_active=True',
      '192.0.2.1 - ann [21/Feb/2026:07:20:25 +0000] "GET /api/users/?limit=5&is_active=True HTTP/1.1" 200 512 "-" "python-requests/2.31"',
    ],
    [
      'Apache, combined, behind its virtual host',
      'search=%22a b%22'.replace(' ', '+'),
      'app.example.com:443 192.0.2.1 - - [21/Feb/2026:07:20:25 +0000] "GET /api/users/?search=\\"a+b\\" HTTP/1.1" 200 512 "-" "-"',
    ],
    [
      'nginx, with what it escapes',
      'search=%22%C3%A9',
      '- - - [x] "GET /api/users/?search=\\x22\\xC3\\xA9 HTTP/2.0" 200 5',
    ],
    [
      'an ALB',
      'limit=5',
      'https 2026-02-21T07:20:25.338627Z app/users/50dc 192.0.2.1:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 34 366 "GET https://app.example.com:443/api/users/?limit=5 HTTP/1.1" "curl/7.46.0" - - arn:aws:x',
    ],
    ['CloudFront', 'created_date=2026-02-20', '#Version: 1.0', cloudFront('created_date=2026-02-20')],
    [
      'CloudFront, of chosen fields',
      'limit=5',
      '#Fields: cs-method cs-uri-query cs-uri-stem sc-status',
      'GET\tlimit=5\t/v1/api/users/\t200',
    ],
    ['CloudFront, as JSON', 'limit=5', '{"cs-method":"GET","cs-uri-stem":"/api/users/","cs-uri-query":"limit=5"}'],
    ['CloudFront, without a query', '', cloudFront('-')],
    [
      'API Gateway',
      'limit=5',
      '{"requestId":"x","httpMethod":"GET","path":"/prod/api/users/","queryString":"limit=5","status":"200"}',
    ],
    [
      'a logged event, payload 2.0',
      'limit=5',
      '{"version":"2.0","rawPath":"/prod/api/users/","rawQueryString":"limit=5","requestContext":{"http":{"method":"GET"}}}',
    ],
    [
      'a logged event, payload 1.0',
      'groups_in=1&groups_in=4&search=a+b',
      '{"httpMethod":"GET","path":"/api/users/","multiValueQueryStringParameters":{"groups_in":["1","4"],"search":["a b"]}}',
    ],
    [
      'a logged event, payload 1.0, without a query',
      '',
      '{"httpMethod":"GET","path":"/api/users/","queryStringParameters":null}',
    ],
    ['nginx, as JSON', 'limit=5', '{"time":"x","request":"GET /api/users/?limit=5 HTTP/1.1","status":200}'],
    ['a list of URLs', 'limit=5', 'https://app.example.com/dev/api/users/?limit=5#top'],
    ['a list of paths', 'q=a?b', '/api/users/?q=a?b'],
    ['a list of queries', 'limit=5', '?limit=5'],
  ])('%s', async (_, query, ...lines) => {
    const { queries, lines: tally } = await collect(...lines);
    expect(queries).toEqual([{ method: 'GET', hasSlash: true, rawQuery: query, weight: 1 }]);
    expect(tally).toMatchObject({ taken: 1, malformed: 0 });
  });

  test.each([
    ['garbage', 'nothing that is known', 'malformed'],
    ['a broken request', '192.0.2.1 - - [x] "\\x16\\x03\\x01" 400 0 "-" "-"', 'malformed'],
    ['half a JSON object', '{"httpMethod":"GET","pa', 'malformed'],
    ['another JSON object', '{"level":"INFO"}', 'malformed'],
    ['a format that leaves queries out', '{"httpMethod":"GET","path":"/api/users/"}', 'withoutQuery'],
    ['another path', 'GET /api/groups/?limit=5', 'otherPaths'],
    ['one user', 'GET /api/users/5/', 'otherPaths'],
    ['another method', 'POST /api/users/', 'otherMethods'],
    ['a method of nobody', 'PROPFIND /api/users/', 'otherMethods'],
  ])('%s is counted, and no more', async (_, line, as) => {
    const { queries, lines } = await collect(line);
    expect(queries).toEqual([]);
    expect(lines).toEqual({ taken: 0, otherMethods: 0, otherPaths: 0, malformed: 0, withoutQuery: 0, [as]: 1 });
  });
});

describe('queries', () => {
  const weightsOf = async (...lines: string[]) =>
    (await collect(...lines)).queries.map(({ method, hasSlash, rawQuery, weight }) => [
      `${method} ${hasSlash ? '/' : ''}?${rawQuery}`,
      weight,
    ]);

  test('are taken once, with the requests that they stand for, in whatever order their names come', async () => {
    expect(
      await weightsOf('?limit=1', '?limit=5&gender=male', '?gender=male&limit=5', '?limit=5&gender=female'),
    ).toEqual([
      ['GET /?limit=5&gender=male', 2],
      ['GET /?limit=1', 1],
      ['GET /?limit=5&gender=female', 1],
    ]);
  });

  test('that differ in a cache buster alone are one, and not those of another page', async () => {
    expect(await weightsOf('?_=1', '?_=2', '?_=3', '?page=1', '?page=2')).toEqual([
      ['GET /?_=1', 3],
      ['GET /?page=1', 1],
      ['GET /?page=2', 1],
    ]);
  });

  test('keep the order of values of one name, HEAD from GET, and the path without its slash', async () => {
    expect(
      await weightsOf('?ordering=id&ordering=email', '?ordering=email&ordering=id', 'HEAD /api/users/', '/x/api/users'),
    ).toEqual([
      ['GET /?ordering=id&ordering=email', 1],
      ['GET /?ordering=email&ordering=id', 1],
      ['HEAD /?', 1],
      ['GET ?', 1],
    ]);
  });

  test('lose a parameter by its name, however it is written', () => {
    const query = { method: 'GET', hasSlash: true, rawQuery: 'a=1&gr%6Fups=2&a=3&b', weight: 1 } as const;
    expect(namesOf(query)).toEqual(['a', 'groups', 'b']);
    expect(without(query, ['a', 'groups']).rawQuery).toBe('b');
  });

  test.each([
    ['groups_in[]', 'groups_in[]'],
    ['_', '_'],
    ['filter[name]', 'filter[name]'],
    ['09150000001', 'other'],
    ['ann@example.com', 'other'],
    ['Ann Çelik', 'other'],
  ])('name %s as %s in a report', (name, shown) => {
    expect(toShownName(name)).toBe(shown);
  });
});

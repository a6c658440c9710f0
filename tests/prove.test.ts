import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Options, readOptions } from '../prove/options.ts';
import type { Report, Row } from '../prove/report.ts';
import { prove, type Watching } from '../prove/run.ts';
import { toText } from '../prove/table.ts';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { type Alterations, type AnyPage, startAlteringProxy } from './setup/altering-proxy.ts';
import { openTestDatabase } from './setup/database.ts';
import { type HttpServer, startHttpServer } from './setup/http-server.ts';
import { keys } from './setup/people.ts';
import { loadHandler } from './setup/request.ts';

const folder = mkdtempSync(join(tmpdir(), 'users-api-prove-'));
const closers: (() => Promise<void>)[] = [];
/** The list over the people of `people.ts`, as it is and where unknown parameters are reported. */
let refusing: HttpServer;
let reporting: HttpServer;

beforeAll(async () => {
  const { url } = await openTestDatabase();
  const start = async (environment: Record<string, string>) => {
    const port = await findFreePort();
    const settings = { PUBLIC_URL: `http://127.0.0.1:${port}`, ...environment };
    const server = await startHttpServer(port, [await loadHandler(url, settings)]);
    closers.push(server.stop);
    return server;
  };
  refusing = await start({});
  reporting = await start({ UNKNOWN_PARAMETERS: 'report' });
});
beforeEach(() => void vi.spyOn(console, 'log').mockImplementation(() => {})); // a line a request
afterAll(async () => {
  for (const close of closers) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** As the original does: what it does not know, it ignores. Its links are of its own host. */
const drf: Alterations = {
  query(query) {
    for (const name of [...query.keys()]) if (/^(_|utm_.*|page.*|ann.*)$/.test(name)) query.delete(name);
    if (query.get('is_active') === 'maybe') query.delete('is_active');
  },
};

/** A proxy before the list, for the test. */
async function startOld(alterations: Alterations = drf, target = refusing) {
  const proxy = await startAlteringProxy(target.url, alterations);
  onTestFinished(proxy.stop);
  return proxy;
}

function set(users: AnyPage['results'], field: string, value: unknown): void {
  for (const user of users) user[field] = value;
}

const tokens = { OLD_TOKEN: keys.ann, NEW_TOKEN: `token  ${keys.ann}` };
let runs = 0;

/** Options for a log of these queries, and a report of its own. */
function optionsOf(old: string, own: string, queries: string[], more: string[] = []): Options {
  runs += 1;
  const log = join(folder, `${runs}.log`);
  writeFileSync(log, queries.map((query) => (query.includes(' ') ? query : `GET /api/users/${query}`)).join('\n'));
  const urls = ['--old', old, '--new', own, '--log', log, '--out', join(folder, `${runs}`)];
  return readOptions([...urls, '--rate', '1000', ...more], tokens);
}

const proveQueries = (old: string, own: string, queries: string[], more: string[] = [], watching: Watching = {}) =>
  prove(optionsOf(old, own, queries, more), { pauseMs: 1, ...watching });

/** What a report says, in short. */
const rowsOf = ({ rows }: Report, kinds = ['difference', 'intended']) =>
  rows
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ cause, parameters, queries, requests }) => [cause, parameters.join(), queries, requests]);

const asidesOf = (report: Report) => rowsOf(report, ['natural']).map(([cause]) => cause);

describe('the requests of a log', () => {
  test('are proved where both answer alike, whatever hosts and cursors the links have', async () => {
    const old = await startOld();
    const report = await proveQueries(old.url, refusing.url, [
      '',
      '?limit=2',
      '?limit=2&offset=2',
      '?gender=male&ordering=-email',
    ]);
    expect(rowsOf(report)).toEqual([]);
    expect(asidesOf(report)).toEqual(['cursors', 'link-host'].slice(0, asidesOf(report).length));
    expect(report).toMatchObject({
      isProved: true,
      isComplete: true,
      queries: { distinct: 4, judged: 4, requests: 4 },
    });
    expect(report.compared.users).toBe(13);
  });

  test('are sent as GET and HEAD alone, each query once, those of most requests first', async () => {
    const old = await startOld();
    const queries = [
      'HEAD /api/users/?limit=1',
      '?limit=3',
      '?limit=3',
      'POST /api/users/',
      'DELETE /api/users/?limit=3',
    ];
    const report = await proveQueries(
      old.url,
      refusing.url,
      [...queries, 'GET /api/users?limit=3', 'GET /api/users/5/'],
      ['--walks', '0'],
    );
    expect(report.lines).toEqual({ taken: 4, otherMethods: 2, otherPaths: 1, malformed: 0, withoutQuery: 0 });
    expect(old.requests).toEqual([
      'GET /api/users/?limit=1', // whether it answers at all
      'GET /api/users/?limit=3',
      'HEAD /api/users/?limit=1',
      'GET /api/users?limit=3',
    ]);
    expect(report.isProved).toBe(true);
  });
});

describe('what is refused here', () => {
  const queries = ['?_=1&limit=2', '?limit=2&_=2', '?utm_source=x', '?is_active=maybe', '?limit=1'];

  test('and ignored there is named by its parameter, with its share of the requests', async () => {
    const old = await startOld();
    const report = await proveQueries(old.url, refusing.url, queries);
    expect(rowsOf(report)).toEqual([
      ['unknown-ignored', '_', 1, 2],
      ['unknown-ignored', 'utm_source', 1, 1],
      ['value-ignored', 'is_active', 1, 1],
    ]);
    expect(report.rows[0]?.share).toBe(0.4);
    expect(report.shares).toEqual({ difference: 0, intended: 0.8 });
    expect(report.isProved).toBe(false);
    expect(toText(report).join('\n')).toMatch(
      /! +│ send `_`: refused here, ignored there +│ 1 query, 40 % of requests/,
    );
  });

  test('matters no more once a team accepts it', async () => {
    const old = await startOld();
    const accepted = ['--accept', 'unknown-ignored,value-ignored'];
    expect(await proveQueries(old.url, refusing.url, queries, accepted)).toMatchObject({ isProved: true });
  });

  test('is answered where unknown parameters are reported, bad values apart', async () => {
    const old = await startOld();
    expect(rowsOf(await proveQueries(old.url, reporting.url, queries))).toEqual([['value-ignored', 'is_active', 1, 1]]);
  });

  test('and honoured there is told from what is ignored', async () => {
    const old = await startOld({
      query(query) {
        if (query.has('role')) query.set('is_admin', 'true');
        query.delete('role');
      },
    });
    expect(rowsOf(await proveQueries(old.url, refusing.url, ['?role=admin']))).toEqual([
      ['unknown-honoured', 'role', 1, 1],
    ]);
    expect(rowsOf(await proveQueries(old.url, reporting.url, ['?role=admin']))).toEqual([
      ['ignored-here', 'role', 1, 1],
    ]);
  });

  test('is told apart from a difference that the same query has besides', async () => {
    const old = await startOld({ ...drf, page: ({ results }) => set(results, 'gender', 'x') });
    expect(rowsOf(await proveQueries(old.url, refusing.url, ['?_=1']))).toEqual([
      ['field', '', 1, 1],
      ['field', '', 1, 1],
      ['unknown-ignored', '_', 1, 1],
    ]);
  });
});

describe('an old API of page numbers', () => {
  /** DRF's PageNumberPagination, three a page. */
  const pageNumbers: Alterations = {
    query(query) {
      const size = Number(query.get('page_size') ?? 3);
      const page = Number(query.get('page') ?? 1);
      for (const name of ['page', 'page_size', 'limit', 'offset']) query.delete(name);
      query.set('limit', `${size}`);
      query.set('offset', `${size * (page - 1)}`);
    },
    page(answer, query) {
      const page = Number(query.get('page') ?? 1);
      const toLink = (number: number) => {
        const others = new URLSearchParams(query);
        others.set('page', `${number}`);
        return `http://old.example.com/api/users/?${others}`;
      };
      answer.next &&= toLink(page + 1);
      answer.previous &&= toLink(page - 1);
    },
  };

  test('gives the same users as limit and offset here, and so says that its clients must send those', async () => {
    const old = await startOld(pageNumbers);
    const report = await proveQueries(old.url, refusing.url, ['?page=2', '?page=3&page_size=2&ordering=id', '?page=3']);
    expect(rowsOf(report)).toEqual(
      [
        ['page-numbers', 'page', 3, 3],
        ['page-numbers', 'page_size', 1, 1],
      ].concat([['page-size', '', 3, 3]]),
    );
  });

  test('is not proved by reporting, where page numbers are ignored', async () => {
    const old = await startOld({
      ...pageNumbers,
      query: (query) => (query.has('page') ? pageNumbers.query?.(query) : undefined),
    });
    const report = await proveQueries(old.url, reporting.url, ['?page=2&ordering=id']);
    expect(rowsOf(report)).toEqual([['ignored-here', 'page', 1, 1]]);
  });

  test('has links that are followed to where they lead', async () => {
    const old = await startOld({
      query: (query) => (query.has('page') ? pageNumbers.query?.(query) : undefined),
      page: (page, query) => pageNumbers.page?.(page, query),
    });
    const report = await proveQueries(old.url, refusing.url, ['?limit=3']);
    expect(rowsOf(report)).toEqual([]);
    expect(old.requests).toContain('GET /api/users/?limit=3&page=2');
  });
});

describe('what is not there twice is no difference:', () => {
  test.each([
    ['is_online', 'is-online'],
    ['gender', 'passing'],
  ])('%s between two moments is set aside as %s', async (field, cause) => {
    let asked = 0;
    const old = await startOld({
      page({ results: [user] }, query) {
        if (query.get('id_max') === '3' && user && asked++ === 0) user[field] = 'x';
      },
    });
    const report = await proveQueries(old.url, refusing.url, ['?id_max=3']);
    expect(rowsOf(report)).toEqual([]);
    expect(asidesOf(report)).toContain(cause);
    expect(report.isProved).toBe(true);
  });

  test('presence that differs each time is one', async () => {
    const old = await startOld({ page: ({ results }) => set(results, 'is_online', true) });
    const { rows } = await proveQueries(old.url, refusing.url, ['?id_max=3']);
    expect(rows[0]).toMatchObject({ cause: 'field', field: 'is_online', ids: [2, 1], matters: true });
  });
});

describe('an API that fails', () => {
  const failing = (status: number, headers: Record<string, string>, times: number): Alterations => {
    let left = times;
    return { instead: (query) => (query.has('id_max') && left-- > 0 ? { status, headers } : undefined) };
  };

  test('now and then is asked again, and counted', async () => {
    const old = await startOld(failing(429, { 'retry-after': '0' }, 2));
    const own = await startOld(failing(503, {}, 1));
    const report = await proveQueries(old.url, own.url, ['?id_max=3', '?limit=1']);
    expect(report).toMatchObject({ isProved: true, asked: { old: { tooMany: 2 }, new: { serverErrors: 1 } } });
  });

  test.each([
    ['here', 'fault-here', false],
    ['there', 'fault-there', true],
  ])('for good %s is counted as %s, and the rest goes on', async (side, cause, isProved) => {
    const broken = await startOld(failing(502, {}, 1000));
    const [old, own] = side === 'here' ? [refusing, broken] : [broken, refusing];
    const report = await proveQueries(old.url, own.url, ['?id_max=3', '?limit=1', '?limit=2']);
    expect(report.rows.find((row: Row) => row.cause === cause)).toMatchObject({ queries: 1 });
    expect(report).toMatchObject({ isProved, isComplete: true });
  });

  test('to answer at all in time is counted', async () => {
    const old = await startOld({ instead: (query) => (query.has('id_max') ? 'silence' : undefined) });
    const report = await proveQueries(old.url, refusing.url, ['?id_max=3'], ['--timeout', '1']);
    expect(report.asked.old).toMatchObject({ timeouts: 3 });
    expect(report.rows).toMatchObject([{ cause: 'fault-there', queries: 1 }]);
  });

  test('from the start is said at once', async () => {
    const closed = `http://127.0.0.1:${await findFreePort()}`;
    await expect(proveQueries(closed, refusing.url, [''])).rejects.toThrow(
      'The old API does not answer ?limit=1: unreachable.',
    );
    const options = {
      ...optionsOf(refusing.url, refusing.url, ['']),
      authorizations: { old: 'Token no', new: 'Token no' },
    };
    await expect(prove(options)).rejects.toThrow(
      'answers ?limit=1 with 401, and no page. OLD_TOKEN must be of somebody who may list.',
    );
  });
});

describe('the causes', () => {
  const drop =
    (name: string) =>
    (query: URLSearchParams): void =>
      query.delete(name);
  /** Reverses each run of users whose gender is alike. */
  const reverseEquals = ({ results }: AnyPage) => {
    const runs = [...Map.groupBy(results, ({ gender }) => gender).values()];
    results.splice(0, results.length, ...runs.flatMap((run) => run.reverse()));
  };
  const nullsFirst = ({ results }: AnyPage) =>
    void results.sort((a, b) => Number(b['gender'] === null) - Number(a['gender'] === null));
  const fill = (most: number) => (page: AnyPage, query: URLSearchParams) => {
    if (!query.has('limit', '5000')) return;
    page.results = Array.from({ length: most }, (_, index) => ({ id: index + 1 }));
    page.count = 1200;
  };

  test.each<[cause: string, parameters: string, query: string, old: Alterations, own?: Alterations]>([
    ['ties', 'ordering', '?ordering=gender', { page: (page, query) => query.has('ordering') && reverseEquals(page) }],
    ['nulls', 'ordering', '?ordering=gender', { page: (page, query) => query.has('ordering') && nullsFirst(page) }],
    ['limit-cap', 'limit', '?limit=5000', { page: fill(1200) }, { page: fill(1000) }],
    ['page-size', '', '?ordering=id', { query: (query) => query.has('limit') || query.set('limit', '4') }],
    [
      'repeated',
      'groups_in',
      '?groups_in=1&groups_in=3',
      { query: (query) => query.has('groups_in') && query.set('groups_in', '3') },
    ],
    ['search', 'search', '?search=celik', { query: (query) => query.has('search') && query.set('search', 'nobody') }],
    [
      'other-refusal',
      'format',
      '?format=xml',
      { instead: (query) => (query.has('format') ? { status: 404 } : undefined) },
    ],
    [
      'answered-here',
      'gender',
      '?gender=MALE',
      { instead: (query) => (query.has('gender') ? { status: 400 } : undefined) },
    ],
    ['ignored-there', 'id_in', '?id_in=1,2', { query: drop('id_in') }],
    ['ignored-here', 'gender', '?gender=male', {}, { query: drop('gender') }],
    [
      'status',
      'gender',
      '?gender=male',
      {},
      { instead: (query) => (query.has('gender') ? { status: 403 } : undefined) },
    ],
    [
      'new-field',
      '',
      '?limit=2',
      { page: ({ results }) => results.forEach((user) => void delete user['groups_data']) },
    ],
  ])('%s: %s is named of %s', async (cause, parameters, query, alterations, own = {}) => {
    const [old, changed] = [await startOld(alterations), await startOld(own)];
    const report = await proveQueries(old.url, changed.url, [query]);
    const rows = rowsOf(report, ['difference', 'intended', 'natural']).filter(
      ([cause]) => !/cursors|link-host/.test(`${cause}`),
    );
    expect(rows).toEqual([[cause, parameters, 1, 1]]);
    expect(report.isProved).toBe(['answered-here', 'ignored-there', 'new-field'].includes(cause));
  });

  test('an avatar at the host of the old API is one at another host, and at any other a difference', async () => {
    const at = (host: string) => (page: AnyPage) => {
      for (const user of page.results)
        if (user['avatar']) user['avatar'] = `${host}${new URL(`${user['avatar']}`).pathname}`;
    };
    const page: Alterations = { page: (answer) => at(old.url)(answer) };
    const old = await startOld(page);
    const report = await proveQueries(old.url, refusing.url, ['?id_max=1']);
    expect([rowsOf(report), asidesOf(report)]).toEqual([[], ['avatar-host']]);
    const other = await startOld({ page: at('https://cdn.example.org') });
    const { rows } = await proveQueries(other.url, refusing.url, ['?id_max=1']);
    expect(rows).toMatchObject([{ cause: 'field', field: 'avatar', ids: [1] }]);
  });
});

describe('a token', () => {
  test.each([
    ['abc', 'Token abc'],
    [' abc\n', 'Token abc'],
    ['token  abc', 'token  abc'],
    ['Bearer a.b-c', 'Bearer a.b-c'],
  ])('%j is sent as %s', (OLD_TOKEN, sent) => {
    const args = ['--log', 'x', '--old', 'https://a.example', '--new', 'https://b.example'];
    expect(readOptions(args, { ...tokens, OLD_TOKEN }).authorizations.old).toBe(sent);
  });
});

describe('a run that is stopped', () => {
  test('goes on where it was', async () => {
    const old = await startOld();
    const queries = ['?limit=1', '?limit=2', '?limit=3', '?limit=4', '?_=1'];
    const options = optionsOf(old.url, refusing.url, queries, ['--concurrency', '1', '--walks', '0']);
    const stopping = new AbortController();
    const onProgress = (done: number) => done === 2 && stopping.abort();
    const stopped = await prove(options, { onProgress, signal: stopping.signal });
    expect(stopped).toMatchObject({ isComplete: false, queries: { distinct: 5, judged: 2 } });
    expect(toText(stopped).join('\n')).toContain('Not at its end: 2 of 5 queries. The same command goes on.');
    const before = old.requests.length;
    const whole = await prove(options);
    expect(whole).toMatchObject({ isComplete: true, queries: { judged: 5 } });
    expect(rowsOf(whole)).toEqual([['unknown-ignored', '_', 1, 1]]);
    expect(old.requests.slice(before)).not.toContain('GET /api/users/?limit=2');
    expect(old.requests.slice(before)).toContain('GET /api/users/?limit=4');
  });

  test('with another token is not gone on with, but begun anew where that is said', async () => {
    const options = optionsOf(refusing.url, refusing.url, ['']);
    await prove(options);
    const other = { ...options, authorizations: { ...options.authorizations, old: `Token ${keys.cat}` } };
    await expect(prove(other)).rejects.toThrow(
      'is of other URLs, tokens or options. Give another --out, or --again to begin anew.',
    );
    expect(await prove({ ...other, again: true })).toMatchObject({ isComplete: true });
  });
});

describe('a report', () => {
  const secret = 'celik-09150000001';
  const queries = [`?search=${secret}`, `?${encodeURIComponent('ann.çelik@example.com')}=1`, '?id_max=1'];
  const differing: Alterations = {
    ...drf,
    page: (page) => {
      page.count += 1;
      for (const user of page.results) user['email'] = 'other@example.com';
    },
  };
  const textsOf = ({ out }: Options) => ['html', 'json', 'jsonl'].map((end) => readFileSync(`${out}.${end}`, 'utf8'));

  test('names parameters, fields and ids, and no value, query or token', async () => {
    const old = await startOld(differing);
    const options = optionsOf(old.url, refusing.url, queries);
    const texts = [toText(await prove(options)).join('\n'), ...textsOf(options)];
    for (const text of texts) {
      expect(text).toContain('email');
      expect(text).not.toMatch(/celik|çelik|%C3|example\.com|09150000001|key-of/i);
    }
    for (const end of ['html', 'json', 'jsonl']) expect(statSync(`${options.out}.${end}`).mode & 0o777).toBe(0o600);
  });

  test('has values where they are asked for', async () => {
    const old = await startOld(differing);
    const options = optionsOf(old.url, refusing.url, queries, ['--show-values']);
    await prove(options);
    for (const text of textsOf(options).slice(0, 2)) {
      expect(text).toContain(secret);
      expect(text).toContain('other@example.com');
      expect(text).not.toContain('key-of');
    }
  });

  test('is one page without scripts, which says the verdict first, escapes what it shows, and is dark where its reader is', async () => {
    const old = await startOld(differing);
    const options = optionsOf(
      old.url,
      refusing.url,
      ['?search=<script>&id_max=<b>', '?search=<script>'],
      ['--show-values'],
    );
    await prove(options);
    const [html = ''] = textsOf(options);
    expect(html).toContain("default-src 'none'; style-src 'unsafe-inline'");
    expect(html).toContain('?search=&#60;script&#62;');
    expect(html).not.toMatch(/<script|<b>|src=|href=/);
    expect(html).toContain('color-scheme: light dark');
    expect(html).toContain('@media print');
    expect(html).toMatch(/<p class="verdict bad">Not proved: 50 % of the requests are answered otherwise/);
  });
});

describe('npm run prove', () => {
  const run = (args: string[], env: Record<string, string> = tokens) =>
    spawnSync('node_modules/.bin/node', ['scripts/prove.ts', ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });

  test('without arguments says how it is called', () => {
    expect(run([])).toMatchObject({ status: 0, stdout: expect.stringContaining('npm run prove -- --old <URL>') });
  });

  test.each<[string[], string]>([
    [['--old', 'https://a.example'], '--log is missing: expected an access log'],
    [['--log', 'x', '--old', 'a.example'], '--old must be a URL without query and password'],
    [['--log', 'x', '--old', 'https://a.example', '--new', 'https://u:p@b.example'], '--new must be a URL'],
    [
      ['--log', 'x', '--old', 'https://a.example', '--new', 'https://b.example', '--rate', '0'],
      '--rate must be a whole number from 1 to 1000.',
    ],
    [
      ['--log', 'x', '--old', 'https://a.example', '--new', 'https://b.example', '--accept', 'count'],
      '--accept: count cannot be accepted',
    ],
    [['--log', 'x', '--path', 'api'], '--path must begin and end with a slash'],
    [['--nonsense'], "Unknown option '--nonsense'"],
    [
      ['--log', '/nowhere', '--old', 'https://a.example', '--new', 'https://b.example'],
      '/nowhere cannot be read: ENOENT.',
    ],
  ])('%j is refused with what was expected', (args, message) => {
    const { status, stderr, stdout } = run(args);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect([status, stdout]).toEqual([2, '']);
  });

  test('needs a token for each side', () => {
    const args = ['--log', 'x', '--old', 'https://a.example', '--new', 'https://b.example'];
    expect(run(args, { OLD_TOKEN: 'x', NEW_TOKEN: '' }).stderr).toContain('NEW_TOKEN must be set in the environment');
  });

  test('exits with 0 where nothing matters and with 1 where something does, and names the report', {
    timeout: 60_000,
  }, async () => {
    const statusOf = async (query: string) => {
      const log = join(folder, 'program.log.gz');
      writeFileSync(log, gzipSync(`GET https://app.example.com/v1/api/users/${query}\n`));
      const out = join(folder, 'program');
      const args = ['--old', reporting.url, '--new', refusing.url, '--log', log, '--out', out, '--again'];
      // Not spawnSync: the servers are this process.
      const program = spawn('node_modules/.bin/node', ['scripts/prove.ts', ...args], {
        env: { ...process.env, ...tokens },
      });
      let output = '';
      for (const stream of [program.stdout, program.stderr]) stream.on('data', (chunk) => (output += chunk));
      const status = await new Promise((resolve) => program.once('close', resolve));
      expect(output).toContain(`The report is in ${out}.html and ${out}.json.`);
      expect(existsSync(`${out}.html`)).toBe(true);
      return status;
    };
    expect(await statusOf('?limit=2')).toBe(0);
    expect(await statusOf('?limit=2&_=1')).toBe(1);
  });
});

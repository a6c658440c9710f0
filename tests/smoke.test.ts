import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { openTestDatabase } from './setup/database.ts';
import { type HttpServer, startHttpServer } from './setup/http-server.ts';
import { keys } from './setup/people.ts';
import { loadHandler } from './setup/request.ts';

/** Where the API answers, behind a proxy that does something to what passes. */
let api: HttpServer;
let proxyPort: number;
let databaseUrl: string;

beforeAll(async () => {
  proxyPort = await findFreePort();
  ({ url: databaseUrl } = await openTestDatabase());
  const handler = await loadHandler(databaseUrl, { PUBLIC_URL: publicUrl() });
  api = await startHttpServer(await findFreePort(), [handler]);
});
afterAll(() => api.stop());

const publicUrl = () => `http://127.0.0.1:${proxyPort}`;

/** The program as `npm run smoke` runs it. */
async function smoke(args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['scripts/smoke.ts', ...args], {
    env: { ...process.env, USERS_API_KEY: keys.ann, ...environment },
  });
  const [output, errors, [code]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number, output: output.toString(), errors: errors.toString() };
}

type Passing = { path: string; method: string; headers: IncomingMessage['headers'] };
type Passed = { status: number; headers: IncomingMessage['headers']; body: Buffer };

/** What a fault does to a request and to its answer, in place. */
type Meddler = {
  request?: (sent: Passing) => void;
  answer?: (answered: Passed, sent: Passing) => void;
};

/** A proxy before the API until the end of the test. */
async function startProxy({ request: meddle, answer: meddleWithAnswer }: Meddler): Promise<void> {
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch((error) => outgoing.destroy(error));
  });
  async function pass({ url = '', method = 'GET', headers }: IncomingMessage, outgoing: ServerResponse) {
    const sent = { path: url, method, headers: { ...headers } };
    meddle?.(sent);
    const answered = await ask(sent);
    meddleWithAnswer?.(answered, sent);
    outgoing.writeHead(answered.status, answered.headers);
    outgoing.end(answered.body);
  }
  server.listen(proxyPort, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
}

async function ask({ path, method, headers }: Passing): Promise<Passed> {
  const sent = request(`${api.url}${path}`, { method, headers, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode as number, headers: response.headers, body: await buffer(response) };
}

/** The sources, which the tests run as they are, have no build. */
const build = ['--build', 'unbuilt'];

/** The names of the questions that failed. */
const failed = (output: string): string[] => output.match(/(?<=^FAIL {2}).*/gm) ?? [];

describe('npm run smoke', () => {
  test('finds nothing where nothing is between, and asks all that it has to', async () => {
    await startProxy({});
    const { code, output, errors } = await smoke([`${publicUrl()}/`, ...build]);
    expect(failed(output), output).toEqual([]);
    expect(output.match(/^ok {4}.*$/gm)).toHaveLength(14);
    expect(output).toMatch(/\nAll 14 are as they should be\.\n$/);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
  });

  test('finds nothing under the key of an API mapping', async () => {
    const base = `${publicUrl()}/v1`;
    const own = await startHttpServer(proxyPort, [await loadHandler(databaseUrl, { PUBLIC_URL: base })]);
    onTestFinished(() => own.stop());
    const { code, output } = await smoke([base, ...build]);
    expect(failed(output), output).toEqual([]);
    expect(code).toBe(0);
  });

  const compress = (answered: Passed) => {
    if (answered.body.length > 0 && !answered.headers['content-encoding'])
      replaceBody(answered, gzipSync(answered.body), { 'content-encoding': 'gzip' });
  };
  const replaceBody = (answered: Passed, body: Buffer | string, headers: IncomingMessage['headers'] = {}) => {
    answered.body = Buffer.from(body);
    Object.assign(
      answered.headers,
      headers,
      'content-length' in answered.headers && { 'content-length': String(answered.body.length) },
    );
  };
  const repath = (from: RegExp | string, to: string): Meddler => ({
    request: (sent) => {
      sent.path = sent.path.replace(from, to);
    },
  });
  const drop = (...names: string[]): Meddler => ({
    answer: ({ headers }) => {
      for (const name of names) delete headers[name];
    },
  });
  const set = (name: string, value: string): Meddler => ({
    answer: ({ headers }) => void Object.assign(headers, { [name]: value }),
  });

  const twice401 = ['a request without a token is a 401', 'an unknown token is a 401'];
  const redirected = 'without its slash the path is redirected, with its query and without a token';
  const pages = 'the pages are there and asked for anew each time, or all turned off';
  const compressed = 'answers are compressed where the client allows it, and by the API';
  const preflight = 'OPTIONS needs no token, and lets in the origins that were given alone';

  /** A fault on the way, the questions that fail by it, and what is said of it. */
  test.each<[what: string, meddler: Meddler, names: string[], said: RegExp]>([
    [
      'that eats the Content-Length of HEAD',
      { answer: ({ headers }, { method }) => method === 'HEAD' && delete headers['content-length'] },
      ['HEAD has the Content-Length of GET'],
      /Expected Content-Length: 52, got none\.\n +Usually: a gateway or a proxy strips it/,
    ],
    [
      'that counts the body that HEAD has not',
      { answer: ({ headers }, { method }) => method === 'HEAD' && Object.assign(headers, { 'content-length': '0' }) },
      ['HEAD has the Content-Length of GET'],
      /Expected Content-Length: 52, got 0\./,
    ],
    [
      'that drops WWW-Authenticate',
      drop('www-authenticate'),
      twice401,
      /WWW-Authenticate: Token, got none\.\n.*drops it/,
    ],
    [
      'that renames WWW-Authenticate, as a REST API does',
      {
        answer: ({ headers }) => {
          if (headers['www-authenticate']) headers['x-amzn-remapped-www-authenticate'] = headers['www-authenticate'];
          delete headers['www-authenticate'];
        },
      },
      twice401,
      /got none\.\n +Usually: a REST API renames it/,
    ],
    [
      'that adds the slash itself',
      repath(/users(?=\?|$)/, 'users/'),
      [redirected],
      /Expected 301, got 401\.\n +Usually: a proxy follows the redirect/,
    ],
    ['that encodes percent signs', repath('%25', '%2525'), [redirected], /percent sign on as %25/],
    [
      'that drops the query of a redirect',
      {
        answer: ({ headers }) =>
          headers.location && Object.assign(headers, { location: headers.location.split('?')[0] }),
      },
      [redirected],
      /Expected Location: \/api\/users\/\?search=%C3%A9%25&limit=1, got \/api\/users\/\.\n/,
    ],
    [
      'that answers with another build',
      set('x-version', '0.9.0+0123456789ab'),
      ['it is the build that was deployed'],
      /got 0\.9\.0\+0123456789ab\.\n.*did not come through/,
    ],
    [
      'that compresses by itself',
      { answer: compress },
      [compressed, 'HEAD has the Content-Length of GET'],
      /Expected no Content-Encoding .* got gzip/,
    ],
    [
      'that does not hand on what the client can read',
      { request: ({ headers }) => void delete headers['accept-encoding'] },
      [compressed],
      /Expected Content-Encoding: gzip, got none\.\n.*Accept-Encoding does not reach/,
    ],
    [
      'that hands on base64 as it is',
      {
        answer: (answered) => {
          if (answered.headers['content-encoding']) replaceBody(answered, answered.body.toString('base64'));
        },
      },
      [compressed],
      /What came as gzip is not what came without it\.\n.*binaryMediaTypes/,
    ],
    ['that drops Vary', drop('vary'), [compressed], /Expected Vary: Accept-Encoding, got none/],
    [
      'that keeps answers',
      set('age', '17'),
      ['the list is answered, and nobody keeps the answer'],
      /Expected no Age, got 17/,
    ],
    [
      'with a cache policy of its own',
      set('cache-control', 'max-age=60'),
      ['the list is answered, and nobody keeps the answer'],
      /Expected Cache-Control: no-store, got max-age=60/,
    ],
    ['that drops Server-Timing', drop('server-timing'), ['Server-Timing says where the time goes'], /got none/],
    [
      'that hands on the last of what is repeated',
      repath('limit=1&limit=2', 'limit=2'),
      ['a parameter that is given twice arrives twice'],
      /Expected 400 for limit=1&limit=2, got 200/,
    ],
    [
      'that answers other methods itself',
      {
        answer: (answered, { method }) =>
          method === 'POST' &&
          Object.assign(answered, { status: 403, headers: {}, body: Buffer.from('{"message":"Forbidden"}') }),
      },
      ['other methods are a 405'],
      /Expected 405, got 403 of something before the API \(it has no X-Version\): Forbidden\.\n +Usually: an authorizer, WAF/,
    ],
    [
      'with error pages of its own',
      {
        answer: (answered) =>
          answered.status === 400 &&
          Object.assign(answered, { headers: { 'x-version': 'unbuilt', 'content-type': 'text/html' } }),
      },
      ['a bad query is a 400 that names every fault', compressed],
      /Expected a problem that says what is wrong with 14 parameters\.\n.*error pages/,
    ],
    [
      'that leads next to another host',
      {
        answer: (answered) => {
          if (answered.headers['content-encoding'] || answered.body.length === 0) return;
          replaceBody(answered, answered.body.toString().replaceAll(publicUrl(), 'https://other.example'));
        },
      },
      ['next leads back here, to somebody else'],
      /Expected next to begin with http:\/\/127\.0\.0\.1:\d+\/api\/users\/\?, got https:\/\/other\.example\/api\/users\/\.\n.*publicUrl/,
    ],
    [
      'that keeps one page for all',
      repath(/after=[^&]+|offset=\d+/g, ''),
      ['next leads back here, to somebody else'],
      /Expected another user on the next page, got the same\.\n.*a cache/,
    ],
    [
      'that shows something of its own for a page',
      { answer: (answered, { path }) => path === '/api/docs/' && Object.assign(answered, { status: 200 }) },
      [pages],
      /\/api\/docs\/: Expected Content-Security-Policy: the API’s, got none/,
    ],
  ])('names a proxy %s', async (_, meddler, names, said) => {
    await startProxy(meddler);
    const { code, output } = await smoke([publicUrl(), ...build]);
    expect(failed(output).sort(), output).toEqual([...names].sort());
    expect(output).toMatch(said);
    expect(output).toMatch(new RegExp(`\\n${names.length} of 14 are not\\.\\n$`));
    expect(code).toBe(1);
  });

  test('names a path that arrives mangled, once for each question', async () => {
    await startProxy(repath('/', '/v1/'));
    const { code, output } = await smoke([publicUrl(), ...build]);
    expect(output).toMatch(
      /Expected 401, got 404 of the API: Not found\.\n +Usually: the function sees another path.*\n(.*\n)+ +Usually: as above\./,
    );
    expect(code).toBe(1);
  });

  test('names a header with the token that does not arrive', async () => {
    await startProxy({ request: ({ headers }) => void delete headers.authorization });
    const { output } = await smoke([publicUrl(), ...build]);
    expect(output).toMatch(
      /Expected 200, got 401 of the API: Authentication .*\n +Usually: .*a proxy drops or changes Authorization/,
    );
  });

  test('asks for the origins that it is given, and finds one that is not let in', async () => {
    await startProxy({
      answer: ({ headers }, sent) => {
        if (sent.headers.origin !== 'https://desk.example.com') return;
        headers['access-control-allow-origin'] = sent.headers.origin;
        headers['access-control-allow-methods'] = 'GET,HEAD,OPTIONS';
        headers['access-control-allow-headers'] = 'authorization';
      },
    });
    const known = ['--origin', 'https://desk.example.com'];
    expect(await smoke([publicUrl(), ...build, ...known])).toMatchObject({ code: 0 });
    const { output } = await smoke([publicUrl(), ...build, ...known, '--origin', 'https://desk.example.org']);
    expect(failed(output)).toEqual([preflight]);
    expect(output).toContain('Expected Access-Control-Allow-Origin: https://desk.example.org, got none.');
  });

  test('finds that everybody is let in', async () => {
    await startProxy({
      answer: ({ headers }, { headers: { origin } }) =>
        Object.assign(headers, origin && { 'access-control-allow-origin': origin }),
    });
    const { output } = await smoke([publicUrl(), ...build, '--origin', 'https://desk.example.com']);
    expect(failed(output)).toEqual([preflight]);
    expect(output).toMatch(/Expected no Access-Control-Allow-Origin for (\S+), got \1\.\n.*every origin/);
  });

  test('expects the build of this checkout, unless it is told another', async () => {
    await startProxy({});
    const { output } = await smoke([publicUrl()]);
    expect(failed(output)).toEqual(['it is the build that was deployed']);
    expect(output).toMatch(/Expected X-Version: 1\.0\.0\S*, got unbuilt\./);
  });

  test('never prints the token, whatever answers with it', async () => {
    await startProxy({
      answer: (answered, { headers }) =>
        Object.assign(answered, {
          status: 418,
          headers: { 'x-version': String(headers.authorization) },
          body: Buffer.from(JSON.stringify({ detail: headers.authorization })),
        }),
    });
    const { output, errors } = await smoke([publicUrl(), ...build]);
    expect(output).toContain('got 418 of the API: Token <key>.');
    expect(output + errors).not.toContain(keys.ann);
  });

  test('gives up where nobody answers, and says how', async () => {
    const { code, output } = await smoke([publicUrl(), ...build]);
    expect(output).toMatch(/^FAIL .*\n +No answer: ECONNREFUSED\.\n +Nothing else was asked\.\n$/);
    expect(code).toBe(1);
  });

  test.each(['before', 'within'])('gives up where an answer does not end: %s its body', async (where) => {
    const server = createServer((_, response) => {
      if (where === 'within') response.writeHead(200).write('{');
    });
    server.listen(proxyPort, '127.0.0.1');
    onTestFinished(() => void server.close().closeAllConnections());
    const { code, output } = await smoke([publicUrl(), ...build, '--timeout-seconds', '0.5']);
    expect(output).toMatch(/^FAIL .*\n +No answer within 0\.5 s\.\n/);
    expect(code).toBe(1);
  });

  test.each<[what: string, args: string[], environment: Record<string, string>, said: RegExp]>([
    ['without a URL', [], {}, /^Expected one URL, without a query\.\nUsage: npm run smoke/],
    ['with two', ['https://a.example', 'https://b.example'], {}, /^Expected one URL/],
    ['with a query', ['https://a.example/?limit=1'], {}, /^Expected one URL/],
    ['with what is none', ['api.example.com'], {}, /^Expected one URL/],
    [
      'without a key',
      ['https://a.example'],
      { USERS_API_KEY: ' ' },
      /^Expected a key in the environment, as USERS_API_KEY\./,
    ],
    ['with an unknown option', ['https://a.example', '--verbose'], {}, /^Unknown option '--verbose'/],
    [
      'with a time that is none',
      ['https://a.example', '--timeout-seconds', 'x'],
      {},
      /^--timeout-seconds: Expected a number above 0\./,
    ],
  ])('%s says how it is called', async (_, args, environment, said) => {
    const { code, output, errors } = await smoke(args, environment);
    expect({ code, output }).toEqual({ code: 1, output: '' });
    expect(errors).toMatch(said);
    expect(errors).toContain('USERS_API_KEY');
  });
});

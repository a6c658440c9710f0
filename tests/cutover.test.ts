import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { findNginx, type Nginx, startNginx } from '../scripts/servers/nginx.ts';
import { readBlock, toNginx, withoutSwitch } from './setup/cutover-page.ts';

/** Answers as `name`, and keeps what it was asked, as it came. */
async function startRecorder(name: string) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers.authorization}`);
    response.setHeader('X-Name', name).end(name);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    if (server.listening) await once(server.close(), 'close');
  };
  onTestFinished(stop);
  return { requests, stop, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(!findNginx())("docs/cutover.md's nginx", () => {
  let application: Awaited<ReturnType<typeof startRecorder>>;
  let api: typeof application;
  let nginx: Nginx;
  let http: string;
  let origin: string;

  beforeEach(async () => {
    application = await startRecorder('application');
    api = await startRecorder('api');
    const port = await findFreePort();
    http = toNginx({ port, old: application.url, own: api.url });
    nginx = await startNginx(port, http);
    onTestFinished(nginx.stop);
    origin = `http://127.0.0.1:${port}`;
  });

  const askedOf = async (method: string, target: string): Promise<string | null> => {
    const response = await fetch(`${origin}${target}`, {
      method,
      headers: { authorization: 'Token x' },
      redirect: 'manual',
    });
    await response.arrayBuffer();
    return response.headers.get('x-name');
  };

  test.each([
    ['GET', '/api/users/', 'api'],
    ['HEAD', '/api/users/?limit=5', 'api'],
    ['POST', '/api/users/', 'application'],
    ['PUT', '/api/users/', 'application'],
    ['DELETE', '/api/users/?limit=5', 'application'],
    ['OPTIONS', '/api/users/', 'application'],
    ['GET', '/api/users', 'application'],
    ['POST', '/api/users?limit=5', 'application'],
    ['GET', '/api/users/5/', 'application'],
    ['PATCH', '/api/users/5/', 'application'],
    ['GET', '/API/users/', 'application'],
    ['GET', '/', 'application'],
  ])('sends %s %s to the %s', async (method, target, name) => {
    expect(await askedOf(method, target)).toBe(name);
  });

  test('hands the query and the token on as they came, and the host that each expects', async () => {
    const query = '?search=%D8%B9+a%20b%2c&x=%zz&groups_in[]=1&_=';
    await askedOf('GET', `/api/users/${query}`);
    await askedOf('POST', `/api/users/${query}`);
    expect(api.requests).toEqual([`GET /api/users/${query} api.example.com Token x`]);
    expect(application.requests).toEqual([`POST /api/users/${query} 127.0.0.1 Token x`]);
  });

  test('goes back, and forth again, without losing a request', async () => {
    const names = new Set<string | null>();
    const askUntil = (name: string) =>
      expect
        .poll(async () => {
          const asked = await askedOf('GET', '/api/users/');
          names.add(asked);
          return asked;
        })
        .toBe(name);
    await askUntil('api');
    nginx.reload(withoutSwitch(http));
    await askUntil('application');
    expect(await askedOf('HEAD', '/api/users/')).toBe('application');
    nginx.reload(http);
    await askUntil('api');
    expect([...names].sort()).toEqual(['api', 'application']);
  });

  test('lets the application answer while the API cannot be reached', async () => {
    await api.stop();
    expect(await askedOf('GET', '/api/users/?limit=5')).toBe('application');
    expect(await askedOf('HEAD', '/api/users/')).toBe('application');
    expect(application.requests.map((request) => request.split(' ').slice(0, 2).join(' '))).toEqual([
      'GET /api/users/?limit=5',
      'HEAD /api/users/',
    ]);
  });
});

describe("docs/cutover.md's function of CloudFront", () => {
  const origins: string[] = [];
  const cf = { updateRequestOrigin: ({ domainName }: { domainName: string }) => origins.push(domainName) };
  const code = readBlock('js').replace("import cf from 'cloudfront';", '');
  const handler = new Function('cf', `${code}; return handler`)(cf) as (event: { request: object }) => object;

  test.each([
    ['GET', ['api.example.com']],
    ['HEAD', ['api.example.com']],
    ['POST', []],
    ['OPTIONS', []],
    ['DELETE', []],
  ])('sends %s to %j', (method, expected) => {
    origins.length = 0;
    const request = { method, uri: '/api/users/', querystring: {} };
    expect(handler({ request })).toBe(request);
    expect(origins).toEqual(expected);
  });
});

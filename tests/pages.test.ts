import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { buildPages } from '../scripts/build-pages.ts';
import { type Received, send } from './setup/request.ts';

const documents = ['/api/docs/', '/api/console/', '/api/openapi.json'];

let handler: Handler;

beforeAll(async () => {
  await buildPages();
  handler = await loadPages();
});

async function loadPages(environment: Record<string, string> = {}): Promise<Handler> {
  vi.resetModules();
  vi.unstubAllEnvs();
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const { handler } = await import('../handlers/web.ts');
  return handler;
}

/** The assets that a page names, as paths. */
async function assetsOf(page: string): Promise<string[]> {
  const { text } = await send(handler, { path: page });
  return [...text.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, name]) => page + name);
}

/** The policy has a test of its own. */
const ofEveryFile = {
  'Content-Security-Policy': expect.any(String),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  ETag: expect.stringMatching(/^W\/"[\w-]{10,}"$/),
  Vary: 'Accept-Encoding',
  'X-Request-Id': 'request-1',
  'Server-Timing': expect.stringMatching(/^total;dur=\d/),
  'X-Version': 'unbuilt',
};

const allAssets = async () => (await Promise.all(['/api/docs/', '/api/console/'].map(assetsOf))).flat();

test.each(documents)('%s is served to anybody and asked for again each time', async (path) => {
  const { status, headers, text } = await send(handler, { path, key: 'none' });
  expect(status).toBe(200);
  expect(headers).toEqual({
    ...ofEveryFile,
    'Content-Type': path.endsWith('/') ? 'text/html; charset=utf-8' : 'application/json',
    'Cache-Control': 'no-cache',
    'Content-Length': String(Buffer.byteLength(text)),
  });
});

describe('the document is the one of the repository, and its server', () => {
  test.each([
    ['of PUBLIC_URL', { PUBLIC_URL: 'https://api.example.com/staff$&/' }, 'dev', 'https://api.example.com/staff$&'],
    ['the gateway', {}, '$default', 'https://abcdef1234.execute-api.eu-central-1.amazonaws.com'],
    ['the gateway and its stage', {}, 'dev', 'https://abcdef1234.execute-api.eu-central-1.amazonaws.com/dev'],
  ])('is %s', async (_, environment, stage, url) => {
    const sent = { path: '/api/openapi.json', stage, headers: { host: 'evil.example' } };
    const { text } = await send(await loadPages(environment), sent);
    expect(JSON.parse(text)).toEqual({ ...JSON.parse(readFileSync('openapi.json', 'utf8')), servers: [{ url }] });
  });
});

test('every asset that a page names is served, and never changes under its name', async () => {
  const assets = await allAssets();
  expect(assets).toHaveLength(6);
  for (const path of assets) {
    expect(path).toMatch(/-[\w-]{10}\.(js|css)$/);
    const { status, headers, text } = await send(handler, { path });
    expect(status).toBe(200);
    expect(headers).toEqual({
      ...ofEveryFile,
      'Content-Type': path.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8',
      'Cache-Control': 'public, max-age=31536000, immutable',
      'Content-Length': String(Buffer.byteLength(text)),
    });
  }
});

test('the licences of Swagger UI, and of what it bundles, are served where it and the page say', async () => {
  const script = (await assetsOf('/api/docs/')).find((path) => path.includes('swagger-ui-bundle')) as string;
  const [, named = ''] =
    (await send(handler, { path: script })).text.match(/license information please see (\S+) /) ?? [];
  expect((await send(handler, { path: '/api/docs/' })).text).toContain(`<a href="${named}">Licences</a>`);
  const { status, headers, text } = await send(handler, { path: `/api/docs/${named}` });
  expect(status).toBe(200);
  expect(headers).toMatchObject({ 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache' });
  const folder = 'node_modules/swagger-ui-dist';
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  expect(text).toContain(`${name} ${version}\n`);
  for (const file of ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt']) {
    expect(text).toContain(readFileSync(`${folder}/${file}`, 'utf8').trim());
  }
});

test('every answer forbids whatever is not of the pages', async () => {
  for (const path of [...documents, ...(await allAssets())]) {
    const { headers } = await send(handler, { path });
    const policy = Object.fromEntries(
      (headers['Content-Security-Policy'] ?? '').split('; ').map((part) => part.split(/ (.*)/).slice(0, 2)),
    );
    expect(policy).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' https://media.example.com data:",
      'connect-src': "'self'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
    });
  }
});

describe('the media that avatars may come from', () => {
  /** As the policy has them, and as the console's page is told. */
  const originsOf = async (environment: Record<string, string>) => {
    const { headers, text } = await send(await loadPages(environment), { path: '/api/console/' });
    return [
      /img-src ([^;]*)/.exec(headers['Content-Security-Policy'] ?? '')?.[1],
      /<meta name="media-origin" content="([^"]*)">/.exec(text)?.[1],
    ];
  };

  test.each([
    ['', 'https://media.example.com'],
    ['https://files.example.org', 'https://files.example.org'],
    ['https://files.example.org:443/users/media/', 'https://files.example.org'],
    ['http://127.0.0.1:9000/media', 'http://127.0.0.1:9000'],
    ['https://bücher.example/ü', 'https://xn--bcher-kva.example'],
  ])('of MEDIA_URL=%s are %s alone', async (mediaUrl, origin) => {
    expect(await originsOf({ MEDIA_URL: mediaUrl })).toEqual([`'self' ${origin} data:`, origin]);
  });

  test.each(['http://[::1]:9000', 'https://*.example.org', 'https://files;script-src.example.org'])(
    'are none of MEDIA_URL=%s, which a policy cannot name',
    async (mediaUrl) => {
      expect(await originsOf({ MEDIA_URL: mediaUrl })).toEqual(["'self' data:", '']);
    },
  );

  test('make another version of the console, and of nothing else', async () => {
    const tagsOf = (handler: Handler) =>
      Promise.all(documents.map(async (path) => (await send(handler, { path })).headers['ETag']));
    const tags = await tagsOf(handler);
    const others = await tagsOf(await loadPages({ MEDIA_URL: 'https://files.example.org' }));
    const changed = documents.filter((_, index) => tags[index] !== others[index]);
    expect(changed).toEqual(['/api/console/']);
  });
});

test('an answer comes in the encoding that the client reads', async () => {
  const unpack = { br: brotliDecompressSync, gzip: gunzipSync };
  for (const path of [...documents, ...(await allAssets())]) {
    const plain = await send(handler, { path });
    expect(plain.headers).not.toHaveProperty('Content-Encoding');
    for (const encoding of ['br', 'gzip'] as const) {
      const packed = await send(handler, { path, headers: { 'accept-encoding': encoding } });
      expect(packed.headers).toMatchObject({
        'Content-Encoding': encoding,
        Vary: 'Accept-Encoding',
        'Content-Length': String(packed.bytes.length),
      });
      expect(unpack[encoding](packed.bytes).equals(plain.bytes), path).toBe(true);
    }
  }
});

describe('a client that has the file already', () => {
  const ask = (known: string): Promise<Received> =>
    send(handler, { path: '/api/docs/', headers: { 'if-none-match': known } });

  test('is told so without the file', async () => {
    const etag = (await ask('')).headers['ETag'] as string;
    const tag = etag.slice(3, -1);
    for (const known of [
      etag,
      `"${tag}"`,
      '*',
      ' * ',
      `"other", ${etag}`,
      `W/"other",W/"${tag}"`,
      `"a,b" , "${tag}" ,W/"c"`,
      `"", , "${tag}"`,
    ]) {
      const { status, headers, bytes } = await ask(known);
      expect(status).toBe(304);
      expect(bytes).toHaveLength(0);
      expect(headers).toMatchObject({ ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' });
      expect(headers).not.toHaveProperty('Content-Length');
    }
  });

  test('is told so in whichever encoding it has it, and to HEAD as well', async () => {
    const etag = (await ask('')).headers['ETag'] as string;
    for (const encoding of ['identity', 'gzip', 'br']) {
      for (const method of ['GET', 'HEAD']) {
        const headers = { 'if-none-match': etag, 'accept-encoding': encoding };
        const answer = await send(handler, { path: '/api/docs/', method, headers });
        expect([answer.status, answer.headers['Vary']]).toEqual([304, 'Accept-Encoding']);
        expect(answer.headers).not.toHaveProperty('Content-Encoding');
      }
    }
  });

  test('gets the file when its own is another', async () => {
    const etag = (await ask('')).headers['ETag'] as string;
    const tag = etag.slice(3, -1);
    for (const known of [
      'W/"another"',
      '""',
      tag, // without its quotes
      `"${tag}`,
      `"x${tag}"`,
      `"${tag.toUpperCase()}${tag.toLowerCase()}"`,
      `"a, ${tag}"`,
      '"*"',
      `W/"a" *`,
    ]) {
      expect([known, (await ask(known)).status]).toEqual([known, 200]);
    }
  });
});

test.each(documents)('HEAD %s has the headers of GET and no body', async (path) => {
  const sent = { path, headers: { 'accept-encoding': 'gzip' } };
  const get = await send(handler, sent);
  const head = await send(handler, { ...sent, method: 'HEAD' });
  expect(head.bytes).toHaveLength(0);
  expect({ ...head.headers, 'Server-Timing': '' }).toEqual({ ...get.headers, 'Server-Timing': '' });
});

test.each([
  ['$default', '/api/docs/'],
  ['dev', '/dev/api/docs/'],
])('at stage %s /api/docs leads to %s', async (stage, location) => {
  const { status, headers } = await send(handler, { path: '/api/docs', stage });
  expect(status).toBe(301);
  expect(headers['Location']).toBe(location);
});

test('/api/console leads to /api/console/ with the query of an old link', async () => {
  const { headers } = await send(handler, { path: '/api/console', query: 'gender=female' });
  expect(headers['Location']).toBe('/api/console/?gender=female');
});

test('other methods are a 405', async () => {
  for (const path of documents) expect((await send(handler, { path, method: 'POST' })).status).toBe(405);
});

test.each([
  '/api/docs/nothing.js',
  '/api/docs/../openapi.json',
  '/api/docs/index.html.gz',
  '/api/docs/__proto__',
  '/api/openapi.json/',
  '/api/users/',
  '/files.json',
])('%s is a 404', async (path) => {
  expect((await send(handler, { path })).status).toBe(404);
});

test('PAGES=off leaves nothing but 404s', async () => {
  const paths = [...documents, '/api/docs', ...(await allAssets())];
  const off = await loadPages({ PAGES: 'off' });
  for (const path of paths) expect((await send(off, { path })).status).toBe(404);
});

test('the console is smaller than 60 kB, as sent', async () => {
  let size = 0;
  for (const path of ['/api/console/', ...(await assetsOf('/api/console/'))]) {
    size += (await send(handler, { path, headers: { 'accept-encoding': 'gzip' } })).bytes.length;
  }
  expect(size).toBeGreaterThan(5_000);
  expect(size).toBeLessThan(60_000);
});

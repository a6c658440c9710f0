import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import type { Handler } from '../../lib/http/gateway.ts';
import type { User } from '../../lib/users/user.ts';
import { buildPages } from '../../scripts/build-pages.ts';
import { launchChromium } from '../../scripts/servers/chromium.ts';
import { findFreePort } from '../../scripts/servers/free-port.ts';
import { openTestDatabase } from './database.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { keys } from './people.ts';
import { loadHandler } from './request.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
export let handlers: Handler[];
export let server: HttpServer;
export let media: Pictures;
export let elsewhere: Pictures;
export let context: BrowserContext;
export let page: Page;

/** Like a person, a test waits for the page. */
export const eventually = <Value>(read: () => Value) => expect.poll(read);

/** A host of pictures, and the paths that it was asked for. */
type Pictures = HttpServer & { asked: string[] };

async function startPictures(): Promise<Pictures> {
  const asked: string[] = [];
  const handler: Handler = async (event) => {
    const { rawPath } = event as { rawPath: string };
    asked.push(rawPath);
    if (rawPath.includes('missing')) return { statusCode: 404 };
    if (rawPath.includes('moved')) return { statusCode: 302, headers: { Location: `${elsewhere.url}${rawPath}` } };
    const headers = { 'Content-Type': 'image/svg+xml' };
    return { statusCode: 200, headers, body: '<svg xmlns="http://www.w3.org/2000/svg" width="36" height="36"/>' };
  };
  return { ...(await startHttpServer(await findFreePort(), [handler])), asked };
}

/** What the page must not have done. */
let faults: string[] = [];
/** The requests to the list, as sent. */
export let sent: URL[] = [];
/** What the function of the pages was asked, as it came. */
export let askedOfPages: string[] = [];

/** Serves the pages and the list, over the people of `people.ts`, and opens a browser's tab for each test: `page`. */
export function usePages(): void {
  beforeAll(async () => {
    await buildPages();
    const { url } = await openTestDatabase();
    media = await startPictures();
    elsewhere = await startPictures();
    const users = await loadHandler(url, { MEDIA_URL: `${media.url}/files` });
    vi.resetModules();
    const { handler: web } = await import('../../handlers/web.ts');
    handlers = [
      users,
      (event) => {
        askedOfPages.push(JSON.stringify(event));
        return web(event);
      },
    ];
    server = await startHttpServer(await findFreePort(), handlers);
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    for (const started of [server, media, elsewhere]) await started?.stop();
  });

  beforeEach(async () => {
    await open('light');
  });

  afterEach(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });
}

/** Takes out the faults that a test has caused on purpose, and fails when there are none. */
export async function expectFault(pattern: RegExp): Promise<void> {
  await eventually(() => faults.some((fault) => pattern.test(fault))).toBe(true);
  faults = faults.filter((fault) => !pattern.test(fault));
}

export async function open(colorScheme: 'light' | 'dark') {
  faults = [];
  sent = [];
  askedOfPages = [];
  for (const { asked } of [media, elsewhere]) asked.length = 0;
  context = await browser.newContext({
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'Pacific/Kiritimati',
    viewport: { width: 1440, height: 900 },
  });
  await context.route(
    (url) => ![server, media, elsewhere].some((known) => known.url === url.origin),
    (route) => {
      faults.push(`asks ${route.request().url()}`);
      return route.abort();
    },
  );
  page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // Chromium reports a refused request as an error of its own.
    const isRefused = /status of 40\d/.test(message.text());
    if (message.type() === 'error' && !isRefused) faults.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname.endsWith('/api/users/')) sent.push(url);
  });
}

export async function expectAccessible(): Promise<void> {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))',
  );
  expect(violations).toEqual([]);
}

/** Of a desk, of a tablet and of a phone. */
export const widths = [1400, 768, 390];

/** Newest first. */
export const everybody = ['gus', 'fay_x', 'eve', 'dan', 'cat', 'bob', 'ann'];
export const names = () => page.locator('tbody .names > :last-child').allTextContents();
export const whenListed = (...usernames: string[]) => eventually(names).toEqual(usernames);
export const filter = (label: string) => page.locator('#filters').getByLabel(label);
/** What the address bar shows after the page's path. */
export const currentState = () => page.url().replace(`${server.url}/api/console/`, '');

/** What stands for each user listed. */
export const portraits = () =>
  page.evaluate<string[]>(`Promise.all([...document.querySelectorAll('.portrait')].map(async (portrait) => {
    const image = portrait.querySelector('img');
    await image?.decode().catch(() => {});
    const avatar = portrait.querySelector('.avatar');
    return avatar === image ? 'picture' : avatar.textContent;
  }))`);

export async function signIn(key = keys.ann): Promise<void> {
  await page.getByRole('textbox', { name: 'Token' }).fill(key);
  await page.keyboard.press('Enter');
}

export async function openConsole(state = ''): Promise<void> {
  await page.goto('about:blank'); // another state alone would not load the page again
  await page.goto(`${server.url}/api/console/${state}`);
  await signIn();
}

/** Has the API say something else of each user. */
export const alterUsers = (alter: (user: User) => Partial<User>) =>
  page.route('**/api/users/**', async (route) => {
    const answer = await route.fetch();
    const { results, ...others } = await answer.json();
    const altered = results.map((user: User) => ({ ...user, ...alter(user) }));
    await route.fulfill({ response: answer, json: { ...others, results: altered } });
  });

/** Has the API hold that many users: user1, user2 and so on, of whom it tells what it knows of one, and their pages by offset. */
export const listMany = (count: number) =>
  page.route('**/api/users/?*', async (route) => {
    const answer = await route.fetch({ url: `${server.url}/api/users/` });
    const { searchParams } = new URL(route.request().url());
    const [limit, offset] = ['limit', 'offset'].map((name) => Number(searchParams.get(name))) as [number, number];
    const [user] = (await answer.json()).results;
    const ids = Array.from({ length: Math.min(limit, count - offset) }, (_, index) => offset + index + 1);
    const next = offset + limit < count ? `${server.url}/api/users/?limit=${limit}&offset=${offset + limit}` : null;
    const results = ids.map((id) => ({ ...user, id, username: `user${id}` }));
    await route.fulfill({ response: answer, json: { count, next, previous: null, results } });
  });

/** Keeps the API's answers back until what it returns is called. */
export async function holdAnswers(): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/api/users/**', (route) => released.then(() => route.fallback()));
  return release;
}

/** What the page has put into the browser's storage. */
export const stored = () =>
  page.evaluate<object>(`(async () => ({
    localStorage: { ...localStorage },
    sessionStorage: { ...sessionStorage },
    databases: await indexedDB.databases(),
    history: history.state,
  }))()`);
export const nothing = { localStorage: {}, sessionStorage: {}, databases: [], history: null };

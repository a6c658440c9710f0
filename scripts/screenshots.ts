import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { demoKey } from '../manage/demo.ts';
import { launchChromium } from './servers/chromium.ts';
import { findFreePort } from './servers/free-port.ts';

/** Writes docs/*.png of the pages with demo data: of `npm start`, or of one that runs already, `npm run screenshots -- http://localhost:3000`. */
const [given] = process.argv.slice(2);
const started = given ? undefined : await start();
const origin = given ?? started?.origin;
const browser = await launchChromium();
try {
  await takeConsole('docs/console.png', 'light');
  await takeConsole('docs/console-dark.png', 'dark');
  await takeReference('docs/docs-page.png');
} finally {
  await browser.close();
  started?.stop();
}

async function start() {
  const port = await findFreePort();
  const env = { ...process.env, PORT: String(port), DATABASE_URL: '' };
  const server = spawn(process.execPath, ['scripts/start.ts'], { stdio: ['ignore', 'pipe', 'inherit'], env });
  let output = '';
  server.stdout.on('data', (chunk) => (output += chunk));
  while (!output.includes('Ready at'))
    await Promise.race([once(server.stdout, 'data'), once(server, 'exit').then(fail)]);
  return { origin: `http://localhost:${port}`, stop: () => server.kill('SIGINT') };
}

function fail(): never {
  throw new Error('npm start has ended; what it printed says why.');
}

async function takeConsole(path: string, colorScheme: 'light' | 'dark'): Promise<void> {
  const page = await openPage('/api/console/#is_active=true&ordering=id&limit=7', colorScheme);
  await page.locator('#token').fill(demoKey);
  await page.keyboard.press('Enter');
  await page.locator('tbody tr').first().waitFor();
  await page.locator('tbody').hover({ position: { x: 5, y: 100 } });
  await take(page, path);
}

async function takeReference(path: string): Promise<void> {
  const page = await openPage('/api/docs/', 'light');
  await page.setViewportSize({ width: 1400, height: 820 });
  await page.locator('.opblock-get .opblock-summary-control').first().click();
  await page.locator('.opblock-get tr[data-param-name="search"]').waitFor();
  await take(page, path);
}

async function openPage(path: string, colorScheme: 'light' | 'dark'): Promise<Page> {
  const page = await browser.newPage({ colorScheme, locale: 'en-GB', viewport: { width: 1400, height: 620 } });
  // The demo's avatars are nowhere: portraits of the same kind stand for them.
  await page.route(
    (url) => url.origin !== origin,
    (route) => route.fulfill({ contentType: 'image/svg+xml', body: toPortrait(route.request().url()) }),
  );
  await page.goto(origin + path);
  return page;
}

function toPortrait(url: string): string {
  const hue = ([...url].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) * 47) % 360;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" fill="hsl(${hue} 45% 78%)"/>
    <circle cx="18" cy="14" r="7" fill="hsl(${hue} 40% 42%)"/><path d="M4 36a14 13 0 0 1 28 0" fill="hsl(${hue} 40% 42%)"/></svg>`;
}

async function take(page: Page, path: string): Promise<void> {
  await sleep(300); // for images and transitions
  await page.screenshot({ path });
  console.log(`${path}: ${Math.round((await stat(path)).size / 1000)} kB`);
  await page.close();
}

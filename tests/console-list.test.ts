import type { Locator } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { hasChromium } from '../scripts/servers/chromium.ts';
import {
  alterUsers,
  context,
  currentState,
  eventually,
  everybody,
  filter,
  holdAnswers,
  listMany,
  openConsole,
  page,
  sent,
  server,
  signIn,
  usePages,
  whenListed,
  widths,
} from './setup/pages.ts';

const height = 800;

async function boxOf(locator: Locator) {
  const box = await locator.boundingBox();
  if (!box) throw new Error(`${locator} is not to be seen`);
  return { ...box, right: box.x + box.width, bottom: box.y + box.height };
}

/** Below the header, and not beyond the lower edge. */
async function isInSight(locator: Locator): Promise<boolean> {
  const header = await boxOf(page.locator('header'));
  const { y, bottom } = await boxOf(locator);
  return y >= header.bottom - 1 && bottom <= height + 1;
}

const row = (username: string) => page.locator('tbody tr', { has: page.getByText(username, { exact: true }) });
const table = () => page.locator('.table');

describe.skipIf(!hasChromium)('the list in the console, in Chromium', () => {
  usePages();

  describe.each(widths)('%i pixels wide', (width) => {
    test('keeps header and paging in reach, and begins the next page at its top', async () => {
      await page.setViewportSize({ width, height });
      await listMany(60);
      await openConsole('#limit=25');
      await row('user25').scrollIntoViewIfNeeded();
      await eventually(() => isInSight(row('user25'))).toBe(true);
      expect(await isInSight(row('user1'))).toBe(false);
      expect((await boxOf(page.locator('header'))).y).toBe(0);
      const next = page.getByRole('button', { name: 'Next' });
      expect(await isInSight(next)).toBe(true);
      await next.click();
      await eventually(() => isInSight(row('user26'))).toBe(true);
    });

    test('shows that it waits, wherever one has scrolled to', async () => {
      await page.setViewportSize({ width, height });
      await listMany(60);
      await openConsole('#limit=25');
      await row('user25').scrollIntoViewIfNeeded();
      const release = await holdAnswers();
      await page.evaluate(`location.hash = '#limit=25&offset=25'`); // which scrolls nowhere
      const line = page.locator('#busy');
      await line.waitFor();
      const { y, bottom, width: length } = await boxOf(line);
      expect([y > 0, bottom < height, length]).toEqual([true, true, await page.evaluate('innerWidth')]);
      const isMoving = `document.getElementById('busy').getAnimations().some(({ animationName, playState }) => animationName === 'slide' && playState === 'running')`;
      expect(await page.evaluate(isMoving)).toBe(true);
      release();
      await row('user50').waitFor();
      expect(await line.isVisible()).toBe(false);
    });
  });

  describe('an e-mail address of a hundred letters', () => {
    const email = `${'x'.repeat(64)}@${'y'.repeat(31)}.org`;

    test.each(widths)('leaves everything in sight that is so without it, at %i pixels', async (width) => {
      const rightEdges = async () =>
        Promise.all((await page.locator('tbody td:visible').all()).map(async (cell) => (await boxOf(cell)).right));
      await page.setViewportSize({ width, height });
      await openConsole('#id_in=1,2');
      await whenListed('bob', 'ann');
      const before = await rightEdges();
      await alterUsers(() => ({ email }));
      await openConsole('#id_in=1,2');
      await page.getByText(email).first().waitFor();
      const after = await rightEdges();
      expect(after).toEqual(before);
      expect(after.length).toBeGreaterThan(10);
      if (width !== 768) expect(Math.max(...after)).toBeLessThan(width); // the others are reached by scrolling
    });

    test('can be read in full where one points at it, and by keyboard', async () => {
      await alterUsers(() => ({ email }));
      await openConsole('#id_in=1');
      const cut = page.getByTitle(email, { exact: true });
      await cut.waitFor();
      expect(await cut.evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)).toBe(true);
      await page.getByRole('button', { name: 'Ann Çelik' }).press('Enter');
      const whole = page.getByRole('dialog').getByText(email);
      expect(await whole.innerText()).toBe(email);
      const panel = await boxOf(page.getByRole('dialog'));
      expect((await boxOf(whole)).right).toBeLessThan(panel.right);
    });
  });

  test('fits a desk whole, and elsewhere a shade shows that it scrolls, beside who a row is about', async () => {
    await page.setViewportSize({ width: 1400, height });
    await openConsole();
    await whenListed(...everybody);
    const isWider = () => table().evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);
    expect(await isWider()).toBe(false);
    await page.setViewportSize({ width: 768, height });
    expect(await isWider()).toBe(true);
    // The shade stays at the edge; its cover scrolls along, to lie over it at the end.
    const attachment = await page.evaluate(`getComputedStyle(document.querySelector('.table')).backgroundAttachment`);
    expect(attachment).toBe('local, scroll');
    expect(await page.getByText('2 Mar 2026').first().isVisible()).toBe(true);
    await table().evaluate((region) => region.scrollTo({ left: region.scrollWidth }));
    const region = await boxOf(table());
    const name = await boxOf(page.getByRole('button', { name: 'Ann Çelik' }));
    const updated = await boxOf(page.locator('td.updated').last());
    expect(name.x).toBeGreaterThan(region.x);
    expect(name.right).toBeLessThan(updated.x);
    expect(updated.right).toBeLessThanOrEqual(region.right);
  });

  test('is cards on a phone, with what matters on each, and an order to choose', async () => {
    await page.setViewportSize({ width: 390, height });
    await openConsole();
    await whenListed(...everybody);
    const card = row('cat');
    expect((await boxOf(card)).height).toBeGreaterThan(120);
    const text = await card.innerText();
    for (const shown of ['علی كريمي', 'cat', 'Cat_50%@example.com', '+98 915 333', 'Staff', 'Support', '00:00 UTC']) {
      expect(text).toContain(shown);
    }
    expect(await page.locator('thead').isVisible()).toBe(false);
    // To screen readers a table all the same.
    const { nodes } = await (await context.newCDPSession(page)).send('Accessibility.getFullAXTree');
    const countOf = (role: string) => nodes.filter((node) => node.role?.value === role).length;
    expect(['table', 'row', 'cell'].map(countOf)).toEqual([1, everybody.length, everybody.length * 7]);
    await page.getByLabel('Sort by').selectOption('Username, ascending');
    await whenListed('ann', 'bob', 'cat', 'dan', 'eve', 'fay_x', 'gus');
    expect(currentState()).toBe('#ordering=username');
  });

  test.each(widths)('puts a name beside its portrait, in whichever direction it runs, at %i pixels', async (width) => {
    await page.setViewportSize({ width, height });
    await openConsole('#id_in=1,3');
    await whenListed('cat', 'ann');
    for (const username of ['ann', 'cat']) {
      const portrait = await boxOf(row(username).locator('.portrait'));
      const letters = await row(username)
        .locator('.name')
        .evaluate((name) => {
          const range = name.ownerDocument.createRange();
          range.selectNodeContents(name);
          return range.getBoundingClientRect().x;
        });
      expect(letters - portrait.right).toBeCloseTo(10, 0);
    }
  });

  test('names three groups of a user, and says how many others there are', async () => {
    const groups = ['one', 'two', 'three', 'four', 'five'].map((name, index) => ({ id: index + 1, name }));
    await alterUsers(({ id }) => ({ groups_data: groups.slice(0, id === 1 ? 5 : 3) }));
    await openConsole('#id_in=1,2');
    await whenListed('bob', 'ann');
    expect(await row('ann').locator('td.groups').innerText()).toMatch(/^one\s+two\s+three\s+and 2 more$/);
    expect(await row('bob').locator('td.groups').innerText()).toMatch(/^one\s+two\s+three$/);
  });

  describe('times', () => {
    const login = () => row('ann').locator('td.login time');

    test('say that they are UTC, and on hover what they are for the reader', async () => {
      await openConsole('#id_in=1');
      await whenListed('ann');
      expect(await login().innerText()).toMatch(/^21 Feb 2026\s+07:20 UTC$/);
      expect(await login().getAttribute('title')).toBe('21 Feb 2026, 21:20 GMT+14 (Pacific/Kiritimati)');
    });

    test("are the reader's own by a switch that the address keeps, which asks for nothing", async () => {
      await openConsole('#id_in=1,2');
      await whenListed('bob', 'ann');
      const asked = sent.length;
      await page.getByLabel('Times').selectOption('Here: Pacific/Kiritimati');
      expect(await login().innerText()).toMatch(/^21 Feb 2026\s+21:20 GMT\+14$/);
      expect(await login().getAttribute('title')).toBe('21 Feb 2026, 07:20 UTC (UTC)');
      expect([currentState(), sent.length]).toEqual(['#id_in=1%2C2&zone=local', asked]);
      await filter('Gender').selectOption('female');
      await whenListed('ann');
      expect(currentState()).toBe('#id_in=1%2C2&gender=female&zone=local');
      await page.reload();
      await signIn();
      await whenListed('ann');
      expect(await login().innerText()).toContain('21:20 GMT+14');
      expect(sent.at(-1)?.search).toBe('?id_in=1%2C2&gender=female');
      await page.getByLabel('Times').selectOption('UTC');
      expect(await login().innerText()).toContain('07:20 UTC');
      expect(currentState()).toBe('#id_in=1%2C2&gender=female');
    });

    test('stay in the zone that one has chosen from page to page', async () => {
      await openConsole('#limit=3&zone=local');
      await whenListed('gus', 'fay_x', 'eve');
      await page.getByRole('button', { name: 'Next' }).click();
      await whenListed('dan', 'cat', 'bob');
      expect(currentState()).toMatch(/^#after=.*&zone=local$/);
      expect(sent.at(-1)?.searchParams.has('zone')).toBe(false);
      await page.goto(`${server.url}/api/console/#limit=3&zone=mars`);
      await eventually(() => page.locator('#problem').innerText()).toContain(
        '“zone” in the address: Unknown parameter',
      );
    });
  });
});

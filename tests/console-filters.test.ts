import { describe, expect, test } from 'vitest';
import { hasChromium } from '../scripts/servers/chromium.ts';
import {
  context,
  currentState,
  eventually,
  everybody,
  filter,
  holdAnswers,
  nothing,
  openConsole,
  page,
  sent,
  server,
  signIn,
  stored,
  usePages,
  whenListed,
} from './setup/pages.ts';
import { keys } from './setup/people.ts';

describe.skipIf(!hasChromium)('what people ask the console for, in Chromium', () => {
  usePages();

  describe('groups', () => {
    const offered = () => page.getByRole('group', { name: 'Groups seen so far' }).getByRole('button');
    const group = (name: string) => page.getByRole('group', { name: 'Groups seen so far' }).getByText(name);

    test('are offered by name, as far as they have been seen, and chosen by it', async () => {
      await openConsole('#id_in=5');
      await whenListed('eve');
      expect(await offered().allTextContents()).toEqual(['Support']);
      await page.getByRole('button', { name: 'Remove ID in: 5' }).click();
      await whenListed(...everybody);
      expect(await offered().allTextContents()).toEqual(['Managers, "all"', 'Support']);
      await group('Support').click();
      await whenListed('eve', 'cat');
      expect(currentState()).toBe('#groups_in=1');
      expect(await filter('Groups in').inputValue()).toBe('1');
      expect(await group('Support').getAttribute('aria-pressed')).toBe('true');
      expect(await group('Managers').getAttribute('aria-pressed')).toBe('false');
      await group('Managers').press('Enter');
      await whenListed('eve', 'dan', 'cat', 'ann');
      expect(await group('Managers').evaluate((button) => button.matches(':focus'))).toBe(true);
      await page.getByRole('button', { name: 'Remove Groups in: Support, Managers, "all"' }).waitFor();
      await group('Support').click();
      await whenListed('dan', 'cat', 'ann');
      expect(currentState()).toBe('#groups_in=2');
    });

    test('of a link are named as soon as they are known', async () => {
      await openConsole('#group_id=1');
      await whenListed('eve', 'cat');
      await page.getByRole('button', { name: 'Remove Group ID: Support' }).waitFor();
    });

    test('are forgotten with the token', async () => {
      await openConsole();
      await whenListed(...everybody);
      expect(await offered().count()).toBe(2);
      await page.getByRole('button', { name: 'Forget token' }).click();
      expect(await offered().count()).toBe(0);
    });
  });

  describe('days', () => {
    const days = (legend: string) => page.getByRole('group', { name: legend });

    test('are those of UTC, by one click, and gone by another', async () => {
      // Of the fifth of March in the browser's zone already.
      await page.clock.setFixedTime('2026-03-04T12:00:00Z');
      await openConsole('#updated_from=2026-01-01');
      await whenListed(...everybody);
      const today = days('Updated').getByRole('button', { name: 'Today' });
      await today.click();
      await whenListed('fay_x');
      expect(currentState()).toBe('#updated_date=2026-03-04');
      expect(await today.getAttribute('aria-pressed')).toBe('true');
      const week = days('Updated').getByRole('button', { name: 'Last 7 days' });
      await week.click();
      await eventually(currentState).toBe('#updated_from=2026-02-26');
      expect([await today.getAttribute('aria-pressed'), await week.getAttribute('aria-pressed')]).toEqual([
        'false',
        'true',
      ]);
      expect(await page.locator('#updated_from').inputValue()).toBe('2026-02-26');
      await week.click();
      await eventually(currentState).toBe('');
    });

    test('of the last week are seven', async () => {
      await page.clock.setFixedTime('2026-01-09T12:00:00Z');
      await openConsole();
      await days('Created').getByRole('button', { name: 'Last 7 days' }).click();
      await whenListed('gus', 'fay_x', 'eve');
      expect(await days('Last login').getByRole('button').count()).toBe(2);
    });
  });

  test('a field says in words what it cannot hold', async () => {
    await openConsole();
    await whenListed(...everybody);
    const asked = sent.length;
    const field = filter('ID min');
    await field.focus();
    await page.keyboard.type('1e');
    await page.keyboard.press('Tab');
    const description = page.locator(`#${await field.getAttribute('aria-describedby')}`);
    expect(await description.innerText()).toBe('Expected a whole number.');
    await page.locator('#created_date').focus();
    await page.keyboard.type('31');
    await filter('ID min').focus();
    await page.getByText('Expected a day of the calendar, with its month and year.').waitFor();
    expect(sent.length).toBe(asked);
    await page.locator('#created_date').fill('');
    await field.fill('7');
    await field.press('Enter');
    await whenListed('gus');
    expect(await page.locator('[aria-invalid]').count()).toBe(0);
  });

  test('a link leads whoever comes by keyboard past the filters, and is seen only then', async () => {
    await page.goto(`${server.url}/api/console/#gender=female`);
    await page.getByLabel('Keep it for this tab').check();
    await signIn();
    await page.reload(); // so that nothing has had the focus yet
    await whenListed('eve', 'ann');
    const link = page.getByRole('link', { name: 'Skip to the users' });
    const bottom = async () => {
      const box = await link.boundingBox();
      return (box?.y ?? 0) + (box?.height ?? 0);
    };
    expect(await bottom()).toBeLessThanOrEqual(0);
    await page.keyboard.press('Tab');
    expect(await link.evaluate((element) => element.matches(':focus'))).toBe(true);
    expect(await bottom()).toBeGreaterThan(10);
    await page.keyboard.press('Enter');
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Gender: female×');
    expect(currentState()).toBe('#gender=female');
  });

  test('nothing is searched for while an input method composes it', async () => {
    await page.clock.install();
    await openConsole();
    await whenListed(...everybody);
    const asked = sent.length;
    await page.getByRole('searchbox').focus();
    const keyboard = await context.newCDPSession(page);
    for (const text of ['c', 'ce', 'cel']) {
      await keyboard.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
      await page.clock.runFor(1000);
    }
    expect(await page.getByRole('searchbox').inputValue()).toBe('cel');
    expect([sent.length, currentState()]).toEqual([asked, '']);
    await keyboard.send('Input.insertText', { text: 'çelik' });
    await page.clock.runFor(1000);
    await whenListed('ann');
    expect(sent.slice(asked).map(({ searchParams }) => searchParams.get('search'))).toEqual(['çelik']);
  });

  describe('a problem', () => {
    const note = () => page.evaluate<string>(`getComputedStyle(document.querySelector('.table'), '::after').content`);
    const box = () => page.locator('#problem');

    test('stands without "No users to show"', async () => {
      await openConsole('#typo=1');
      await box().getByText('“typo” in the address').waitFor();
      expect([await note(), await page.locator('#status').innerText()]).toEqual(['none', '']);
      await openConsole('#id_max=0');
      await eventually(note).toBe('"No users to show."');
      expect(await box().isVisible()).toBe(false);
    });

    test('goes as soon as something else is asked for', async () => {
      await openConsole('#typo=1');
      await box().waitFor();
      const release = await holdAnswers();
      await page.evaluate(`location.hash = '#gender=female'`);
      await page.locator('main[aria-busy="true"]').waitFor();
      expect([await box().isVisible(), await box().textContent()]).toEqual([false, '']);
      release();
      await whenListed('eve', 'ann');
    });
  });

  describe('a token', () => {
    const keep = () => page.getByLabel('Keep it for this tab');

    async function signInAndKeep(key = keys.ann): Promise<void> {
      await page.goto(`${server.url}/api/console/`);
      expect(await keep().isChecked()).toBe(false);
      await keep().check();
      await signIn(key);
    }

    test('is kept for the tab alone, where somebody asks for it, until it is forgotten', async () => {
      await signInAndKeep();
      await whenListed(...everybody);
      expect(await stored()).toEqual({ ...nothing, sessionStorage: { 'users-api-token': keys.ann } });
      expect(await context.cookies()).toEqual([]);
      await page.reload();
      await whenListed(...everybody);
      const other = await context.newPage();
      await other.goto(`${server.url}/api/console/`);
      await other.getByRole('heading', { name: 'Enter a token' }).waitFor();
      await other.close();
      await page.getByRole('button', { name: 'Forget token' }).click();
      expect(await stored()).toEqual(nothing);
      await page.reload();
      await page.getByRole('heading', { name: 'Enter a token' }).waitFor();
    });

    test('is in memory alone where the browser lets pages store nothing', async () => {
      await page.addInitScript(`Object.defineProperty(window, 'sessionStorage', {
        get() { throw new DOMException('Denied', 'SecurityError'); },
      })`);
      await openConsole();
      await whenListed(...everybody);
      expect(await keep().isDisabled()).toBe(true);
    });

    test('that is refused is not kept', async () => {
      await signInAndKeep(keys.eve);
      await page.locator('#token-error').getByText('You do not have permission').waitFor();
      expect(await stored()).toEqual(nothing);
    });
  });
});

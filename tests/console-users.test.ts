import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { hasChromium } from '../scripts/servers/chromium.ts';
import {
  alterUsers,
  context,
  eventually,
  everybody,
  expectFault,
  filter,
  holdAnswers,
  openConsole,
  page,
  sent,
  server,
  signIn,
  usePages,
  whenListed,
  widths,
} from './setup/pages.ts';
import { keys } from './setup/people.ts';

describe.skipIf(!hasChromium)('what the console shows and saves of users, in Chromium', () => {
  usePages();

  describe('a user in full', () => {
    const panel = () => page.getByRole('dialog');
    /** What the panel says, by its titles. */
    const facts = async () =>
      Object.fromEntries(
        await Promise.all(
          (await panel().locator('dl > div').all()).map(async (row) => [
            await row.locator('dt').innerText(),
            (await row.locator('dd').innerText()).split(/\s*\n\s*/).join('; '),
          ]),
        ),
      );

    test('is opened by the name, and says all that the API does', async () => {
      await alterUsers(() => ({ invited_by: { id: 8, username: 'cy', full_name: null } }));
      await openConsole('#id_in=1');
      await page.getByRole('button', { name: 'Ann Çelik' }).click();
      expect(await panel().getByRole('heading', { name: 'Ann Çelik' }).isVisible()).toBe(true);
      expect(await facts()).toEqual({
        ID: '1',
        Username: 'ann',
        'First name': 'Ann',
        'Last name': 'Çelik',
        'E-mail': 'ann@example.com',
        'E-mail verified': 'Yes',
        'Mobile number': '09150000001',
        Gender: 'female',
        Role: 'Admin',
        Active: 'Yes',
        Online: 'No',
        'Profile completed': 'Yes',
        Groups: 'Managers, "all" (ID 2)',
        'Invited by': 'cy (cy, ID 8)',
        'Invite code': 'ANN1',
        Invitees: '2',
        'Last login': '21 Feb 2026 07:20 UTC; 2026-02-21T07:20:25.338627Z',
        Created: '1 Jan 2026 00:00 UTC; 2026-01-01T00:00:00Z',
        Updated: '1 Mar 2026 12:00 UTC; 2026-03-01T12:00:00Z',
        Avatar: expect.stringMatching(/\/files\/avatars\/1%20%C3%BC\.png$/),
      });
    });

    test('says of what is not there that it is none', async () => {
      await openConsole('#id_in=2');
      await page.getByRole('button', { name: 'bob' }).click();
      const { 'Invited by': inviter, ...others } = await facts();
      expect(inviter).toBe('Ann Çelik (ann, ID 1)');
      for (const title of ['E-mail', 'Mobile number', 'Gender', 'Groups', 'Invite code', 'Avatar']) {
        expect(others[title], title).toBe('–; none');
      }
      expect(others['Active']).toBe('No');
    });

    test.each(widths)('opens and closes by keyboard, and leads back to where one was, at %i pixels', async (width) => {
      await page.setViewportSize({ width, height: 800 });
      await openConsole();
      await whenListed(...everybody);
      const name = page.getByRole('button', { name: 'Ann Çelik' });
      await name.focus();
      await page.keyboard.press('Enter');
      await panel().waitFor();
      expect(await page.evaluate(`document.querySelector('dialog').contains(document.activeElement)`)).toBe(true);
      const box = await panel().boundingBox();
      expect([box && box.x >= 0 && box.x + box.width <= width, box?.height]).toEqual([true, 800]);
      await page.keyboard.press('Escape');
      expect(await panel().count()).toBe(0);
      expect(await name.evaluate((button) => button.matches(':focus'))).toBe(true);
      expect(await page.locator('#user').innerHTML()).toBe('');
      await name.click();
      await panel().getByRole('button', { name: 'Close' }).press('Enter');
      expect(await panel().count()).toBe(0);
    });

    test('closes when one goes back', async () => {
      await openConsole();
      await filter('Gender').selectOption('female');
      await whenListed('eve', 'ann');
      await page.getByRole('button', { name: 'Ann Çelik' }).click();
      await panel().waitFor();
      await page.goBack();
      await whenListed(...everybody);
      expect(await panel().count()).toBe(0);
    });
  });

  describe('the line for curl', () => {
    /** Asks as the shell would, with the token in its variable. */
    async function run(line: string): Promise<string[]> {
      const [, header = '', url = ''] = /^curl -H "(.+?)" '(.+?)'$/.exec(line) ?? [];
      const [name = '', value = ''] = header.replace('$TOKEN', keys.ann).split(': ');
      const response = await fetch(url, { headers: { [name]: value } });
      const { results } = (await response.json()) as { results: { username: string }[] };
      return results.map(({ username }) => username);
    }

    test('is that of the user who is shown, and can be copied', async () => {
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await openConsole();
      await page.getByRole('button', { name: 'Ann Çelik' }).click();
      const line = await page.getByRole('dialog').locator('code').innerText();
      expect(line).toBe(`curl -H "Authorization: Token $TOKEN" '${server.url}/api/users/?id_in=1'`);
      expect(await run(line)).toEqual(['ann']);
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(line);
    });

    test('is that of the list which is shown, whatever it is asked for', async () => {
      await openConsole('#zone=local');
      await page.getByRole('searchbox').fill("ann' $(x) & çelik");
      await page.getByText('curl', { exact: true }).click();
      const line = page.locator('#list code');
      await eventually(() => line.innerText()).toMatch(/search=ann%27\+%24%28x%29\+%26\+%C3%A7elik'$/);
      await page.getByRole('searchbox').fill('');
      await filter('Gender').selectOption('female');
      await whenListed('eve', 'ann');
      expect(await run(await line.innerText())).toEqual(['eve', 'ann']);
    });
  });

  describe('a download', () => {
    const button = () => page.getByRole('button', { name: 'Download CSV' });

    test('is the whole list that is shown, with its filters and in its order', async () => {
      await openConsole('#ordering=username&is_active=true&limit=2&zone=local');
      await whenListed('ann', 'cat');
      await page.getByRole('button', { name: 'Next' }).click();
      await whenListed('dan', 'eve');
      const saved = page.waitForEvent('download');
      await button().click();
      const file = await saved;
      expect(file.suggestedFilename()).toMatch(/^users-\d{4}-\d\d-\d\d\.csv$/);
      const [header, ...lines] = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
      expect(header).toContain('"username"');
      expect(lines.map((line) => line.split(',')[1])).toEqual(
        ['ann', 'cat', 'dan', 'eve', 'fay_x', 'gus'].map((name) => `"${name}"`),
      );
      expect(sent.at(-1)?.search).toBe('?is_active=true&ordering=username&format=csv');
      await button().waitFor();
    });

    test('says before it is tried that a list is too long for one file', async () => {
      let count = 10_000;
      await page.route('**/api/users/**', async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: { ...(await answer.json()), count } });
      });
      await openConsole();
      await whenListed(...everybody);
      const note = page.locator('#download-note');
      expect(await note.isVisible()).toBe(false);
      expect(await button().getAttribute('aria-disabled')).toBe('false');
      count = 10_001;
      await filter('Active').selectOption('true');
      await eventually(() => note.innerText()).toMatch(/at most 10,000 users, and these are 10,001\..*ID min/);
      expect(await button().getAttribute('aria-disabled')).toBe('true');
      const asked = sent.length;
      await button().click({ force: true });
      expect(await button().getAttribute('aria-describedby')).toBe('download-note');
      expect(sent.length).toBe(asked);
    });

    test('says why there is none, and asks for another token where this one ends', async () => {
      await openConsole();
      await whenListed(...everybody);
      const detail = 'Expected at most 10000 users in one export; these are 10001.';
      await page.route('**/api/users/?format=csv', (route) =>
        route.fulfill({ status: 400, json: { status: 400, detail: 'Bad.', errors: { format: [detail] } } }),
      );
      await button().click();
      await eventually(() => page.locator('#problem').innerText()).toContain(detail);
      await whenListed(...everybody);
      await page.unrouteAll();
      await page.route('**/api/users/?format=csv', (route) =>
        route.fulfill({ status: 401, json: { status: 401, detail: 'Invalid token.' } }),
      );
      await button().click();
      await eventually(() => page.locator('#token-error').innerText()).toBe('Invalid token.');
      expect(await page.locator('tbody tr').count()).toBe(0);
    });

    test('ends when the token is forgotten', async () => {
      const files: unknown[] = [];
      page.on('download', (file) => files.push(file));
      await openConsole();
      await whenListed(...everybody);
      const release = await holdAnswers();
      await button().click();
      await page.getByRole('button', { name: 'Downloading…' }).waitFor();
      const failed = page.waitForEvent('requestfailed');
      await page.getByRole('button', { name: 'Forget token' }).click();
      expect((await failed).url()).toContain('format=csv');
      release();
      await page.unrouteAll();
      await signIn();
      await whenListed(...everybody);
      expect(files).toEqual([]);
    });

    test('is not to be had of nobody, nor where the API does not answer', async () => {
      await openConsole('#id_max=0');
      await eventually(() => page.locator('#status').innerText()).toBe('Nobody matches');
      expect(await button().getAttribute('aria-disabled')).toBe('true');
      await page.route('**/api/users/?format=csv*', (route) => route.fulfill({ status: 502, body: '<html>' }));
      await openConsole();
      await whenListed(...everybody);
      await button().click();
      await eventually(() => page.locator('#problem').innerText()).toContain(
        'The API cannot answer at the moment (502).',
      );
      await expectFault(/502/);
    });
  });
});

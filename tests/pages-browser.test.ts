import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasChromium } from '../scripts/servers/chromium.ts';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { startHttpServer } from './setup/http-server.ts';
import {
  alterUsers,
  askedOfPages,
  context,
  currentState,
  elsewhere,
  eventually,
  everybody,
  expectAccessible,
  expectFault,
  filter,
  handlers,
  media,
  names,
  nothing,
  open,
  openConsole,
  page,
  portraits,
  sent,
  server,
  signIn,
  stored,
  usePages,
  whenListed,
  widths,
} from './setup/pages.ts';
import { keys } from './setup/people.ts';

describe.skipIf(!hasChromium)('in Chromium', () => {
  usePages();

  describe('the reference', () => {
    async function sendGender(url: string, key = keys.ann) {
      await page.goto(url);
      await page.getByRole('button', { name: 'Authorize' }).click();
      await page.locator('.auth-container input').fill(key);
      await page.locator('.auth-btn-wrapper .authorize').click();
      await page.locator('.btn-done').click();
      await page.locator('.opblock-get .opblock-summary-control').first().click();
      await page.locator('tr[data-param-name="gender"] select').selectOption('female');
      await page.getByRole('button', { name: 'Execute' }).click();
      await page.locator('.live-responses-table .response-col_status').first().waitFor();
      return page.locator('.live-responses-table').innerText();
    }

    test('takes a token, sends a filtered request and shows the answer', async () => {
      const answer = await sendGender(`${server.url}/api/docs/`);
      expect(sent.map(({ searchParams }) => searchParams.get('gender'))).toEqual(['female']);
      // Nothing but defaults is filled in beforehand.
      expect([...(sent[0]?.searchParams.keys() ?? [])].sort()).toEqual([
        'format',
        'gender',
        'limit',
        'offset',
        'ordering',
      ]);
      expect(answer).toContain('200');
      expect(answer).toMatch(/"username": "eve"/);
      expect(answer).not.toMatch(/"username": "dan"/);
    });

    test('keeps a token in memory alone, and sends one scheme before it however it was entered', async () => {
      for (const entered of [keys.ann, `Token ${keys.ann}`]) {
        const authorizations: (string | undefined)[] = [];
        page.on('request', (request) => authorizations.push(request.headers()['authorization']));
        await sendGender(`${server.url}/api/docs/`, entered);
        expect(authorizations.filter(Boolean)).toEqual([`Token ${keys.ann}`]);
        expect(await stored()).toEqual(nothing);
        expect(await context.cookies()).toEqual([]);
        page.removeAllListeners('request');
      }
      await page.reload();
      await page.getByRole('button', { name: 'Authorize' }).click();
      await page.locator('.auth-container input').waitFor();
      expect(await page.locator('.auth-container input').inputValue()).toBe('');
    });

    test('works behind a stage', async () => {
      const staged = await startHttpServer(await findFreePort(), handlers, 'dev');
      await context.unrouteAll();
      const answer = await sendGender(`${staged.url}/dev/api/docs/`);
      expect(sent[0]?.pathname).toBe('/dev/api/users/');
      expect(answer).toMatch(/"username": "eve"/);
      await staged.stop();
    });

    test('shows every parameter of the document', async () => {
      await page.goto(`${server.url}/api/docs/`);
      await page.locator('.opblock-get .opblock-summary-control').first().click();
      const shown = page.locator('.opblock-get tr[data-param-name]:visible');
      const { get } = JSON.parse(readFileSync('openapi.json', 'utf8')).paths['/api/users/'];
      const described = [...get.parameters, ...get['x-csv'].parameters];
      await eventually(() => shown.count()).toBe(described.length);
    });
  });

  describe('the console', () => {
    test('asks for a token first, and sends nothing without', async () => {
      await page.goto(`${server.url}/api/console/#gender=female`);
      await page.getByRole('heading', { name: 'Enter a token' }).waitFor();
      expect(sent).toEqual([]);
      await signIn();
      await whenListed('eve', 'ann');
    });

    test('lists the users, customers never', async () => {
      await openConsole();
      await whenListed(...everybody);
      expect(await page.getByRole('status').innerText()).toBe('1–7 of 7 users');
    });

    test('searches while one types, as one step of the history', async () => {
      await openConsole();
      await whenListed(...everybody);
      await page.keyboard.press('/');
      await page.keyboard.type('celik');
      await whenListed('ann');
      expect(currentState()).toBe('#search=celik');
      await page.goBack();
      await whenListed(...everybody);
      expect(await page.getByRole('searchbox').inputValue()).toBe('');
    });

    test('has a field of its kind for every filter of the document', async () => {
      await page.goto(`${server.url}/api/console/`);
      const { paths } = JSON.parse(readFileSync('openapi.json', 'utf8'));
      const placed = ['limit', 'offset', 'after', 'before', 'search', 'ordering'];
      const documented = paths['/api/users/'].get.parameters;
      const filters = documented.filter(({ name }: { name: string }) => !placed.includes(name));
      expect(filters.length).toBeGreaterThan(20);
      for (const { name, schema } of filters) {
        const control = page.locator(`#filters #${name}`);
        const kind = await control.evaluate((element) => (element as unknown as { type: string }).type);
        const isChoice = schema.type === 'boolean' || schema.enum;
        const input = schema.format === 'date' ? 'date' : schema.type === 'integer' ? 'number' : 'text';
        expect(kind, name).toBe(isChoice ? 'select-one' : input);
      }
      expect(await page.locator('#filters').locator('input, select').count()).toBe(filters.length);
    });

    test('filters, keeps the state in its address, and goes back', async () => {
      await openConsole();
      await filter('Gender').selectOption('male');
      await whenListed('gus', 'dan');
      await filter('Online').selectOption('false');
      await filter('ID max').fill('5');
      await page.keyboard.press('Tab');
      await whenListed('dan');
      expect(currentState()).toBe('#gender=male&is_online=false&id_max=5');
      await page.goBack();
      await page.goBack();
      await whenListed('gus', 'dan');
      expect(await filter('ID max').inputValue()).toBe('');
      await page.getByRole('button', { name: 'Remove Gender: male' }).click();
      await whenListed(...everybody);
    });

    test('restores filters, order and size from a link', async () => {
      await openConsole('#gender=female&created_from=2026-01-01&ordering=username&limit=25&is_active=1');
      await whenListed('ann', 'eve');
      expect(await filter('Gender').inputValue()).toBe('female');
      expect(await page.locator('#created_from').inputValue()).toBe('2026-01-01');
      expect(await page.locator('#is_active').inputValue()).toBe('true');
      expect(await page.getByLabel('Rows').inputValue()).toBe('25');
      const header = page.getByRole('columnheader', { name: 'User' });
      expect(await header.getAttribute('aria-sort')).toBe('ascending');
    });

    test('keeps its state from the server that it comes from, and keeps it over a reload and on links', async () => {
      await openConsole('#search=celik');
      await whenListed('ann');
      await page.getByRole('searchbox').fill('09150000001');
      await eventually(currentState).toBe('#search=09150000001');
      await page.reload();
      await signIn();
      await whenListed('ann');
      expect(await page.getByRole('searchbox').inputValue()).toBe('09150000001');
      await page.getByRole('link', { name: 'API reference' }).click();
      await page.getByRole('link', { name: 'Console' }).waitFor();
      await page.goBack();
      await eventually(currentState).toBe('#search=09150000001');
      expect(askedOfPages.length).toBeGreaterThan(5);
      expect(askedOfPages.join()).not.toMatch(/celik|09150000001|search/);
    });

    test('takes the state of an old link out of its query, once and without a step of the history', async () => {
      await openConsole('?gender=female&search=celik#ordering=id');
      await whenListed('ann');
      expect(currentState()).toBe('#gender=female&search=celik&ordering=id');
      expect(sent.at(-1)?.search).toBe('?gender=female&search=celik&ordering=id');
      await filter('Gender').selectOption('other');
      await eventually(names).toEqual([]);
      await page.goBack();
      await whenListed('ann');
      expect(currentState()).toBe('#gender=female&search=celik&ordering=id');
      await page.reload();
      await signIn();
      await whenListed('ann');
      expect(askedOfPages.filter((event) => event.includes('celik'))).toHaveLength(1);
      await page.goBack();
      expect(page.url()).toBe('about:blank');
    });

    test('opens a link that lacks the slash with its state', async () => {
      await page.goto(`${server.url}/api/console#gender=female`);
      await signIn();
      await whenListed('eve', 'ann');
      expect(currentState()).toBe('#gender=female');
    });

    test('shows what somebody writes into its address, or follows there', async () => {
      await openConsole('#gender=female');
      await whenListed('eve', 'ann');
      await page.goto(`${server.url}/api/console/#gender=male`);
      await whenListed('gus', 'dan');
      expect(await filter('Gender').inputValue()).toBe('male');
      await page.goto(`${server.url}/api/console/#`);
      await whenListed(...everybody);
      await page.goBack();
      await whenListed('gus', 'dan');
      await page.goBack();
      await whenListed('eve', 'ann');
    });

    test('takes no anchor for its state, and lets it lead where it leads', async () => {
      await openConsole('#gender=female');
      await whenListed('eve', 'ann');
      const asked = sent.length;
      for (let time = 0; time < 2; time++) {
        await page.getByRole('link', { name: 'Skip to the users' }).press('Enter');
        await eventually(() => page.evaluate('document.activeElement.id')).toBe('main');
        await eventually(currentState).toBe('#gender=female');
      }
      expect(sent.length).toBe(asked);
      expect(await filter('Gender').inputValue()).toBe('female');
      await openConsole('#limit');
      await whenListed(...everybody);
      expect(currentState()).toBe('#limit');
    });

    test('sorts by a header: up, down, and back to newest first', async () => {
      await openConsole();
      const header = page.getByRole('columnheader', { name: 'User' });
      const id = page.getByRole('columnheader', { name: 'ID' });
      expect(await id.getAttribute('aria-sort')).toBe('descending');
      await header.getByRole('button').click();
      await whenListed('ann', 'bob', 'cat', 'dan', 'eve', 'fay_x', 'gus');
      expect(await header.getAttribute('aria-sort')).toBe('ascending');
      expect(await id.getAttribute('aria-sort')).toBe('none');
      await header.getByRole('button').press('Enter');
      await whenListed(...everybody);
      expect(await header.getAttribute('aria-sort')).toBe('descending');
      await header.getByRole('button').press('Enter');
      await eventually(currentState).toBe('');
    });

    test('pages by the links of the answer', async () => {
      await openConsole('#limit=3');
      await whenListed('gus', 'fay_x', 'eve');
      const previous = page.getByRole('button', { name: 'Previous' });
      expect(await previous.getAttribute('aria-disabled')).toBe('true');
      await page.getByRole('button', { name: 'Next' }).click();
      await whenListed('dan', 'cat', 'bob');
      expect(sent.at(-1)?.searchParams.has('after')).toBe(true);
      expect(await page.getByRole('status').innerText()).toBe('4–6 of 7 users');
      await previous.click();
      await whenListed('gus', 'fay_x', 'eve');
    });

    test('shows each error beside its field, and what has none above the table', async () => {
      await openConsole('#groups_in=a&search=%00&limit=0&typo=1');
      const field = filter('Groups in');
      await eventually(() => field.getAttribute('aria-invalid')).toBe('true');
      const description = page.locator(`#${await field.getAttribute('aria-describedby')}`);
      expect(await description.innerText()).toMatch(/^Value 1 of 1: Expected a whole number/);
      expect(await page.locator('#search-error').innerText()).toMatch(/without control characters/);
      expect(await page.locator('#problem').innerText()).toMatch(
        /Rows: Expected[\s\S]*“typo” in the address: Unknown parameter/,
      );
      await field.fill('2');
      await page.getByRole('searchbox').fill('ann');
      await page.getByRole('button', { name: 'Leave it out' }).click();
      await whenListed('ann');
      expect(await field.getAttribute('aria-invalid')).toBeNull();
    });

    test.each([
      ['a token that is none', 'no-key', 'Invalid token.'],
      ['a token without permission', keys.eve, 'You do not have permission to perform this action.'],
    ])('says beside the token that it is %s', async (_, key, message) => {
      await page.goto(`${server.url}/api/console/`);
      await signIn(key);
      await eventually(() => page.locator('#token-error').innerText()).toBe(message);
      await signIn();
      await whenListed(...everybody);
    });

    test('says that the API does not know a token of letters that a header cannot hold', async () => {
      await page.goto(`${server.url}/api/console/`);
      await signIn('ключ');
      await expect.poll(() => page.locator('#token-error').innerText()).toBe('Invalid token.');
    });

    test('says that the API cannot be reached, and tries again', async () => {
      await openConsole('#id_max=1');
      await whenListed('ann');
      await page.route('**/api/users/**', (route) => route.fulfill({ status: 503, json: { message: 'x' } }));
      await filter('ID max').fill('2');
      await page.keyboard.press('Tab');
      await eventually(() => page.locator('#problem').innerText()).toContain(
        'The API cannot answer at the moment (503).',
      );
      await expectFault(/503/);
      await page.unrouteAll();
      await page.getByRole('button', { name: 'Try again' }).click();
      await whenListed('bob', 'ann');
    });

    test('lets nothing but the table scroll sideways on a phone', async () => {
      await page.setViewportSize({ width: 390, height: 844 });
      await openConsole();
      await whenListed(...everybody);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    });

    test('begins and ends the list where the header begins and ends, on a phone too', async () => {
      await openConsole();
      await whenListed(...everybody);
      for (const width of [390, 1440]) {
        await page.setViewportSize({ width, height: 844 });
        const title = await page.getByRole('heading', { name: 'Users' }).boundingBox();
        const filters = await page.locator('#filters').boundingBox();
        const forget = await page.getByRole('button', { name: 'Forget token' }).boundingBox();
        const table = await page.locator('.table').boundingBox();
        const right = (box: typeof table) => box && box.x + box.width;
        expect([title?.x, right(forget)]).toEqual([filters?.x, right(table)]);
      }
    });

    test('lets names run in their own direction', async () => {
      await openConsole('#search=cat');
      const name = page.getByText('علی كريمي');
      await name.waitFor();
      expect(await name.getAttribute('dir')).toBe('auto');
      expect(await page.locator('.name:dir(rtl)').allTextContents()).toEqual(['علی كريمي']);
    });

    test('says who is online, and names groups', async () => {
      await openConsole('#ordering=username');
      await whenListed('ann', 'bob', 'cat', 'dan', 'eve', 'fay_x', 'gus');
      const rows = page.locator('tbody tr');
      expect(await rows.nth(2).locator('.dot').innerText()).toBe('online');
      expect(await rows.nth(3).locator('.dot').innerText()).toBe('offline');
      expect(await rows.nth(2).locator('.tag.group').allTextContents()).toEqual(['Support', 'Managers, "all"']);
    });

    test('holds a token nowhere but in memory', async () => {
      await openConsole();
      await whenListed(...everybody);
      await filter('Gender').selectOption('male');
      await whenListed('gus', 'dan');
      expect(await stored()).toEqual(nothing);
      expect(await page.content()).not.toContain(keys.ann);
      expect(await page.locator('#token').inputValue()).toBe('');
      expect(await context.cookies()).toEqual([]);
      for (const { href } of [...sent, new URL(page.url())]) expect(href).not.toContain(keys.ann);
      await page.reload();
      await page.getByRole('heading', { name: 'Enter a token' }).waitFor();
    });

    test('forgets the token when told to, and shows nobody by one step back either', async () => {
      await openConsole();
      await whenListed(...everybody);
      await filter('Gender').selectOption('male');
      await whenListed('gus', 'dan');
      const asked = sent.length;
      await page.getByRole('button', { name: 'Forget token' }).click();
      for (const step of [() => undefined, () => page.goBack(), () => page.goForward()]) {
        await step();
        await page.getByRole('heading', { name: 'Enter a token' }).waitFor();
        expect(await page.locator('tbody tr').count()).toBe(0);
        expect(await page.content()).not.toMatch(/@example\.com|Ilgın/);
      }
      expect(sent.length).toBe(asked);
    });

    test('says nothing of users before it knows, after the token before was refused or forgotten', async () => {
      const note = () => page.evaluate<string>(`getComputedStyle(document.querySelector('.table'), '::after').content`);
      let release = () => {};
      const holdAnswers = () => {
        const released = new Promise<void>((resolve) => {
          release = resolve;
        });
        return page.route('**/api/users/**', (route) => released.then(() => route.continue()));
      };
      const expectNothing = async () => {
        await page.locator('main[aria-busy="true"] #list').waitFor();
        expect([await note(), await page.locator('#status').textContent()]).toEqual(['none', '']);
        release();
        await eventually(() => page.locator('#status').textContent()).toBe('Nobody matches');
        expect(await note()).toBe('"No users to show."');
        await page.unrouteAll();
      };
      await openConsole('#id_max=0');
      await eventually(note).toBe('"No users to show."');
      await page.getByRole('button', { name: 'Forget token' }).click();
      await signIn('no-key');
      await eventually(() => page.locator('#token-error').innerText()).toBe('Invalid token.');
      await holdAnswers();
      await signIn();
      await expectNothing();
      await page.getByRole('button', { name: 'Forget token' }).click();
      await holdAnswers();
      await signIn();
      await expectNothing();
    });

    test('shows texts of users as texts, whatever they hold', async () => {
      const markup = '<img src="x" onerror="document.title = 1"><b>bold</b>&amp;';
      const texts = Object.fromEntries(
        ['username', 'full_name', 'email', 'mobile_number', 'gender'].map((name) => [name, `${name} ${markup}`]),
      );
      await alterUsers(() => ({ ...texts, avatar: null, groups_data: [{ id: 1, name: `group ${markup}` }] }));
      await openConsole('#limit=1');
      await whenListed(`username ${markup}`);
      const row = page.locator('tbody tr');
      for (const name of ['full_name', 'email', 'mobile_number', 'gender', 'group']) {
        expect(await row.innerText()).toContain(`${name} ${markup}`);
      }
      expect(await row.locator('img, b').count()).toBe(0);
      expect(await page.title()).not.toBe('1');
    });

    test('shows pictures of the media, and asks no other host for one: initials stand for those', async () => {
      const avatars: Record<string, string> = {
        bob: `${elsewhere.url}/bob.png`,
        dan: `${media.url}/missing.png`,
        eve: `${media.url}@${new URL(elsewhere.url).host}/eve.png`,
        fay_x: 'https://',
        gus: `${server.url}/api/media/gus.png`,
      };
      await alterUsers(({ username, avatar }) => ({ avatar: avatars[username] ?? avatar }));
      const images: string[] = [];
      page.on('request', (request) => {
        if (request.resourceType() === 'image') images.push(request.url());
      });
      await openConsole('#ordering=id');
      await whenListed('ann', 'bob', 'cat', 'dan', 'eve', 'fay_x', 'gus');
      await eventually(portraits).toEqual(['picture', 'B', 'عك', 'I', 'O"', '😀D', 'FIＷ']);
      expect(images).toEqual([`${media.url}/files/avatars/1%20%C3%BC.png`, avatars['dan'], avatars['gus']]);
      expect(elsewhere.asked).toEqual([]);
    });

    test('follows no picture of the media to another host', async () => {
      await alterUsers(() => ({ avatar: `${media.url}/moved.png` }));
      await openConsole('#id_max=1');
      await whenListed('ann');
      await eventually(portraits).toEqual(['AÇ']);
      expect(media.asked).toEqual(['/moved.png']);
      expect(elsewhere.asked).toEqual([]);
      await expectFault(/moved\.png[\s\S]*img-src/);
    });

    test('shows the answer to what was asked last, however late an earlier one comes', async () => {
      await openConsole();
      await whenListed(...everybody);
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      await page.route('**/api/users/?*gender=male*', async (route) => {
        await released;
        await route.continue().catch(() => {}); // the page may have given it up
      });
      await filter('Gender').selectOption('male');
      await filter('Gender').selectOption('female');
      await whenListed('eve', 'ann');
      release();
      await page.waitForLoadState('networkidle');
      expect(await names()).toEqual(['eve', 'ann']);
      expect(await filter('Gender').inputValue()).toBe('female');
    });

    test('begins at the first page again when a filter is set on another one', async () => {
      await openConsole('#limit=3');
      await whenListed('gus', 'fay_x', 'eve');
      await page.getByRole('button', { name: 'Next' }).click();
      await whenListed('dan', 'cat', 'bob');
      await filter('Gender').selectOption('male');
      await whenListed('gus', 'dan');
      expect(currentState()).toBe('#limit=3&gender=male');
    });

    test('says of each user what is so, and of nobody what is not', async () => {
      await openConsole('#ordering=id');
      await whenListed('ann', 'bob', 'cat', 'dan', 'eve', 'fay_x', 'gus');
      const rows = await page.locator('tbody tr').all();
      const textsOf = (selector: string) =>
        Promise.all(rows.map(async (row) => (await row.locator(selector).allTextContents()).join(' ')));
      expect(await textsOf('.tag:not(.group)')).toEqual([
        'Admin',
        'Staff Inactive',
        'Staff',
        'Staff',
        'Staff',
        'Admin Staff',
        'Staff',
      ]);
      expect(await rows[1]?.locator('td').nth(3).innerText()).toBe('Staff Inactive');
      expect(await rows[2]?.locator('td').nth(4).innerText()).toBe('Support Managers, "all"');
      expect(await textsOf('.verified')).toEqual(['✓verified', '', '', '', '', '', '']);
      // Last login, created, updated: the last three columns. In UTC, whatever the browser's zone.
      expect((await textsOf('td:nth-last-child(3)')).slice(0, 3)).toEqual([
        '21 Feb 2026 07:20 UTC',
        '20 Feb 2026 23:59 UTC',
        '21 Feb 2026 00:00 UTC',
      ]);
    });

    test.each((['light', 'dark'] as const).flatMap((scheme) => widths.map((width) => [scheme, width] as const)))(
      'has no violation that axe finds, %s and %i pixels wide',
      async (scheme, width) => {
        await context.close();
        await open(scheme);
        await page.setViewportSize({ width, height: 850 });
        await page.goto(`${server.url}/api/console/`);
        await expectAccessible();
        await signIn();
        await whenListed(...everybody);
        await expectAccessible();
        await page.getByRole('button', { name: 'Ann Çelik' }).click();
        await expectAccessible();
        await page.keyboard.press('Escape');
        await page.getByText('curl', { exact: true }).click();
        await expectAccessible();
        await openConsole('#gender=male&limit=1');
        await whenListed('gus');
        await page.locator('#filters').evaluate((details) => details.setAttribute('open', ''));
        await expectAccessible();
        await openConsole('#groups_in=a&typo=1');
        await page.locator('[aria-invalid]').waitFor();
        await expectAccessible();
      },
    );
  });
});

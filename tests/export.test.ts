import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { listed } from './setup/people.ts';
import { loadHandler, send, toEvent } from './setup/request.ts';

let database: TestDatabase;
let handler: Handler;

beforeAll(async () => {
  database = await openTestDatabase();
  handler = await loadHandler(database.url);
});

const csv = { accept: 'text/csv' };

const forget = async (username: string) =>
  void (await database.db.deleteFrom('users').where('username', 'like', username).execute());

/** Lines end in CR LF; those within cells do not. */
const linesOf = (text: string) => text.split('\r\n');

describe('the format', () => {
  test.each<[query: string, accept: string | undefined, type: string]>([
    ['', undefined, 'application/json'],
    ['', '*/*', 'application/json'],
    ['', 'text/html,application/xhtml+xml,*/*;q=0.8', 'application/json'],
    ['', 'application/json', 'application/json'],
    ['', 'Text/CSV', 'text/csv'],
    ['', 'text/*', 'text/csv'],
    ['', 'text/csv;q=0.5, application/json;q=0.4', 'text/csv'],
    ['', 'text/csv, application/json', 'application/json'],
    ['', 'text/csv;charset=utf-8, application/json;q=0.5', 'text/csv'],
    ['', 'text/csv;q=0, */*', 'application/json'],
    ['', '', 'application/json'],
    ['', ' ', 'application/json'],
    ['', ' , ,', 'application/json'],
    ['', ', text/csv', 'text/csv'],
    ['', '*/*;q=0, text/csv', 'text/csv'],
    ['format=csv', '', 'text/csv'],
    ['format=csv', '*/*;q=0', 'text/csv'],
    ['format=csv', 'application/json', 'text/csv'],
    ['format=json', 'text/csv', 'application/json'],
  ])('of ?%s with Accept: %s is %s', async (query, accept, type) => {
    const { status, headers } = await send(handler, { query, ...(accept !== undefined && { headers: { accept } }) });
    expect(status).toBe(200);
    expect(headers['Content-Type']?.split(';')[0]).toBe(type);
  });

  test.each<[query: string, accept: string]>([
    ['format=xml', '*/*'],
    ['format=CSV', '*/*'],
    ['', 'text/html'],
    ['', 'application/json;q=0'],
    ['', '*/*;q=0'],
    ['', 'image/*, text/plain'],
  ])('of ?%s with Accept: %s is a 406 that says what there is', async (query, accept) => {
    const { status, text } = await send(handler, { query, headers: { accept } });
    expect(status).toBe(406);
    expect(JSON.parse(text).detail).toBe(
      'Expected format=json or format=csv, or an Accept header that allows application/json or text/csv.',
    );
  });

  test('is decided after authentication', async () => {
    expect((await send(handler, { query: 'format=xml', key: 'unknown' })).status).toBe(401);
  });
});

describe('a CSV', () => {
  test('is a dated file, with a byte-order mark, a header row and a line for every user', async () => {
    const { headers, text } = await send(handler, { headers: csv });
    expect(headers['Content-Type']).toBe('text/csv; charset=utf-8; header=present');
    expect(headers['Content-Disposition']).toMatch(/^attachment; filename="users-\d{4}-\d\d-\d\d\.csv"$/);
    expect(headers['Cache-Control']).toBe('no-store');
    expect(text.startsWith('\ufeff"id","username","mobile_number",')).toBe(true);
    expect(linesOf(text)).toHaveLength(1 + listed.length + 1); // the last line ends in CR LF too
  });

  test('of nobody is a header row', async () => {
    const { status, text } = await send(handler, { query: 'format=csv&id_min=900' });
    expect(status).toBe(200);
    expect(linesOf(text)).toEqual([expect.stringMatching(/^\ufeff"id",.*"groups"$/), '']);
  });

  test('of several hundred users has each once, under one header row', async () => {
    await sql`insert into users (username, is_staff) select 'each' || n, true from generate_series(1, 200) n`.execute(
      database.db,
    );
    for (const count of [99, 100, 101, 200]) {
      const { text } = await send(handler, { query: `format=csv&search=each&limit=${count}&ordering=id` });
      const names = linesOf(text).map((line) => line.split(',')[1] ?? '');
      expect(names).toEqual(['"username"', ...Array.from({ length: count }, (_, index) => `"each${index + 1}"`), '']);
      expect(text.lastIndexOf('\ufeff')).toBe(0);
    }
    await forget('each%');
  });

  test('answers the same query as JSON does', async () => {
    const query = 'search=a&is_active=true&ordering=username&format=csv';
    const { text } = await send(handler, { query });
    const names = linesOf(text)
      .slice(1, -1)
      .map((line) => line.split(',')[1]);
    expect(names).toEqual(['"ann"', '"cat"', '"dan"', '"eve"', '"fay_x"', '"gus"']);
  });

  test('has a line for the inviter in columns of its own, and the groups in one', async () => {
    const { text } = await send(handler, { query: 'format=csv&id_min=2&id_max=3' });
    const [, cat = '', bob = ''] = linesOf(text);
    expect(cat).toContain(',8,"cy","Cy Customer",');
    expect(cat.endsWith(',"Support; Managers, ""all"""')).toBe(true);
    expect(bob).toContain(',1,"ann","Ann Çelik",');
    expect(bob.endsWith(',""')).toBe(true);
  });

  test('is a page with links when a limit is given, and whole without links when not', async () => {
    const whole = await send(handler, { query: 'format=csv' });
    expect(whole.headers).not.toHaveProperty('Link');
    const page = await send(handler, { query: 'format=csv&limit=3' });
    expect(linesOf(page.text)).toHaveLength(1 + 3 + 1);
    expect(page.headers['Link']).toMatch(/<https:[^>]+format=csv&limit=3&offset=3>; rel="next"/);
  });

  test('is compressed like any other answer', async () => {
    const event = toEvent({ headers: { ...csv, 'accept-encoding': 'gzip' } });
    const { headers, body = '', isBase64Encoded } = await handler(event);
    expect([headers?.['Content-Encoding'], isBase64Encoded]).toEqual(['gzip', true]);
    const { text } = await send(handler, { headers: csv });
    expect(gunzipSync(Buffer.from(body, 'base64')).toString()).toBe(text);
  });
});

describe('a cell of a CSV that a spreadsheet might run', () => {
  const starts = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
  const defused = [
    ...starts,
    ...starts.map((start) => `${start}A1`),
    ...starts.map((start) => `${start}=1+1`),
    ...['\t', '\r', '\n', '\r\n'].map((start) => `${start}@SUM(A1)`),
    '+1-2',
    '+98-915-000',
    '+98 (915) 000',
    '+1 2 -3',
    '+1 2+3',
    '+ 98',
    '+1\n2',
    '+1\n',

    '＋98 915',
    '-98 915',
  ];
  const kept = [
    ...['+98 915 000', '+98', '+۹۸ ۹۱۵', '0915', '1=2', 'a-b', 'ann@example.com', ' =1', "'=1", 'a\n=1', '', '—', '＜'],
    '+98 ',
  ];

  test.each([
    ['gets an apostrophe before it', defused, "'"],
    ['does not where it is no formula, as phone numbers are none', kept, ''],
  ])('%s', async (_, cells, apostrophe) => {
    const rows = cells.map((first_name, index) => ({
      id: 500 + index,
      username: `f${index}`,
      first_name,
      is_staff: true,
    }));
    await database.db.insertInto('users').values(rows).execute();
    const { text } = await send(handler, { query: 'format=csv&id_min=500&ordering=id&limit=1000' });
    await database.db.deleteFrom('users').where('id', '>=', 500).execute();
    for (const [index, cell] of cells.entries()) {
      expect(text, JSON.stringify(cell)).toContain(
        `"f${index}",,,false,,"${apostrophe}${cell.replaceAll('"', '""')}",,`,
      );
    }
  });

  test('is any text of the list: names, addresses, avatars, codes, groups and inviters', async () => {
    const bad = '\n=1+1';
    await database.db
      .insertInto('users')
      .values({
        id: 600,
        username: bad,
        email: bad,
        mobile_number: bad,
        invite_code: bad,
        first_name: bad,
        last_name: bad,
        invited_by_id: 600,
        is_staff: true,
      })
      .execute();
    await database.db.insertInto('groups').values({ id: 60, name: bad }).execute();
    onTestFinished(async () => void (await database.db.deleteFrom('groups').where('id', '=', 60).execute()));
    await database.db.insertInto('user_groups').values({ user_id: 600, group_id: 60 }).execute();
    const { text } = await send(handler, { query: 'format=csv&id_min=600' });
    await database.db.deleteFrom('users').where('id', '=', 600).execute();
    expect(text.match(/"'\n=1\+1"/g)).toHaveLength(8);
    expect(text.match(/"'=1\+1 \n=1\+1"/g)).toHaveLength(2); // the full names, which are trimmed
    expect(text).not.toMatch(/"[\n=]/);
  });
});

describe('of a CSV in a spreadsheet', () => {
  const folder = mkdtempSync(join(tmpdir(), 'users-api-export-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const hasSpreadsheet = spawnSync('soffice', ['--version']).status === 0;

  /** What a cell holds and how it comes out of the spreadsheet. */
  const cells: [first_name: string, shown: string][] = [
    ['=1+1', "'=1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['-2+3', "'-2+3"],
    ['+2*3', "'+2*3"],
    ['=cmd|" /C calc"!A0', '\'=cmd|" /C calc"!A0'],
    ['007', '007'],
    ['1e5', '1e5'],
    ['2026-02-21', '2026-02-21'],
    ['علی\u200cرضا', 'علی\u200cرضا'],
    ['👩‍👩‍👧 "quoted", with comma', '👩‍👩‍👧 "quoted", with comma'],
    ['two\nlines', 'two\nlines'],
    ['  spaced  ', '  spaced  '],
    ["it's", "it's"],
  ];

  test.skipIf(!hasSpreadsheet)('cells come out as they went in, and no formula runs', async () => {
    await database.db
      .insertInto('users')
      .values(
        cells.map(([first_name], index) => ({
          username: `cell${index}`,
          first_name,
          is_staff: true,
          mobile_number: `+98 915 ${index}`,
        })),
      )
      .execute();
    onTestFinished(() => forget('cell%'));
    const { text } = await send(handler, { query: 'format=csv&search=cell&ordering=id' });
    writeFileSync(join(folder, 'users.csv'), text);
    // Import: comma, double quote, UTF-8, from line 1, quoted cells as text. Export the same, every text quoted, cells as shown.
    const { status, stderr } = spawnSync(
      'soffice',
      [
        ...['--headless', '--norestore', `-env:UserInstallation=file://${folder}/profile`],
        ...[
          '--infilter=CSV:44,34,76,1,,0,true,false,false',
          '--convert-to',
          'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false',
        ],
        ...['--outdir', join(folder, 'out'), join(folder, 'users.csv')],
      ],
      { encoding: 'utf8' },
    );
    expect(status, stderr).toBe(0);
    const out = readFileSync(join(folder, 'out', 'users.csv'), 'utf8');
    for (const [index, [, shown]] of cells.entries()) {
      const quoted = shown.replaceAll('"', '""');
      expect(out).toContain(`"cell${index}","+98 915 ${index}",`);
      expect(out).toContain(`"${quoted}"`);
    }
  });
});

test('a whole export by Accept is longer than the default page, which stays as it is', async () => {
  await sql`insert into users (username, is_staff) select 'more' || n, true from generate_series(1, 12) n`.execute(
    database.db,
  );
  onTestFinished(() => forget('more%'));
  const { count } = (await send(handler)).json();
  expect(count).toBeGreaterThan(10);
  expect(linesOf((await send(handler, { headers: csv })).text)).toHaveLength(1 + count + 1);
  expect((await send(handler)).json().results).toHaveLength(10);
});

test('more than 10,000 users are a 400 that says how many there are and how to split them', async () => {
  await sql`insert into users (username, is_staff) select 'many' || n, true from generate_series(1, 10001) n`.execute(
    database.db,
  );
  onTestFinished(() => forget('many%'));
  const { status, text } = await send(handler, { query: 'format=csv&search=many' });
  expect(status).toBe(400);
  expect(JSON.parse(text).errors).toEqual({
    format: [
      'Expected at most 10000 users in one export; these are 10001. Split it by `id_min` and `id_max`, or give `limit` and follow the Link header.',
    ],
  });
  await forget('many1');
  const whole = await send(handler, { query: 'format=csv&search=many' });
  expect(linesOf(whole.text)).toHaveLength(1 + 10_000 + 1);
});

import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { openTestDatabase } from './setup/database.ts';
import { loadHandler, send } from './setup/request.ts';

let handler: Handler;

beforeAll(async () => {
  handler = await loadHandler((await openTestDatabase()).url);
});

/** What anybody can make who has seen a few links: the checksum is no signature. */
function forge(json: string | Uint8Array): string {
  const bytes = Buffer.from(json);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(bytes));
  return Buffer.concat([checksum, bytes]).toString('base64url');
}

/** At offset 1, where a cursor that says so counts. */
const ask = (cursor: string, { ordering = '-id', side = 'after' } = {}) =>
  send(handler, { query: `ordering=${ordering}&offset=1&limit=2&${side}=${cursor}` });

const notOfLinks = 'Expected a cursor as it stands in a `next` or `previous` link.';
const ofAnotherOrder = 'Expected a cursor of this `ordering`; it was made in another one. Begin again without it.';

test('what is forged well is a cursor like any other', async () => {
  expect((await ask(forge('["-id",1,4]'))).json().results.map(({ id }) => id)).toEqual([3, 2]);
  expect((await ask(forge('["-id",1,4]'), { side: 'before' })).json().results.map(({ id }) => id)).toEqual([6, 5]);
  expect((await ask(forge('["id",1,4]'), { ordering: 'id' })).json().results.map(({ id }) => id)).toEqual([5, 6]);
});

describe.each(['after', 'before'])('is a 400 as `%s`', (side) => {
  test.each<[what: string, content: string | Uint8Array]>([
    ['no JSON', 'x'],
    ['an array left open', '["-id",1,4'],
    ['JSON with more behind it', '["-id",1,4]]'],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
    ['null', 'null'],
    ['true', 'true'],
    ['a number', '7'],
    ['a text', '"-id"'],
    ['an object', '{}'],
    ['an object that counts like an array', '{"0":"-id","1":1,"2":4,"length":3}'],
    ['an empty array', '[]'],
    ['an ordering alone', '["-id"]'],
    ['an ordering that is no text', '[["-id"],1,4]'],
    ['an offset that is a text', '["-id","1",4]'],
    ['an offset that is null', '["-id",null,4]'],
    ['an offset below zero', '["-id",-1,4]'],
    ['an offset that is a fraction', '["-id",1.5,4]'],
    ['an offset beyond 2^53', '["-id",9007199254740992,4]'],
    ['an offset beyond all numbers', '["-id",1e999,4]'],
    ['arrays in arrays without end', `${'['.repeat(200_000)}`],
    ['arrays in arrays with an end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ])('a right checksum over %s', async (_, content) => {
    const { status, text, problem } = await ask(forge(content), { side });
    expect(status, text).toBe(400);
    expect(problem().errors).toEqual({ [side]: [notOfLinks] });
  });

  const wrongTimes = [
    ...['0000-01-01T00:00:00.000000Z', '0000-12-31T23:59:59.999999Z', '0000-01-01T00:00:00.000000Z BC'],
    ...['2026-00-10T00:00:00.000000Z', '2026-13-01T00:00:00.000000Z', '2026-02-30T00:00:00.000000Z'],
    ...['2025-02-29T00:00:00.000000Z', '0004-02-29T00:00:00.000000Z BC', '1900-02-29T00:00:00.000000Z'],
    ...['2026-02-21T24:00:00.000000Z', '2026-02-21T23:60:00.000000Z', '2026-06-30T23:59:60.000000Z'],
    ...['2026-02-21T07:20:25Z', '2026-02-21T07:20:25.123Z', '2026-02-21T07:20:25.1234567Z', '2026-02-21'],
    ...['294277-01-01T00:00:00.000000Z', '999999-01-01T00:00:00.000000Z', '010000-01-01T00:00:00.000000Z'],
    ...['4714-11-23T23:59:59.999999Z BC', '4715-12-01T00:00:00.000000Z BC', '9999-01-01T00:00:00.000000Z BC'],
    ...['Infinity', '+infinity', 'infinity ', 'now', 'epoch', 'today', '', '2026-02-21T07:20:25.338627Z\n'],
    ...[0, true, ['infinity'], {}],
  ];

  test.each<[ordering: string, values: unknown[]]>([
    ...wrongTimes.map((time): [string, unknown[]] => ['created_at', [time, 1]]),
    ...wrongTimes.map((time): [string, unknown[]] => ['-last_login', [time, 1]]),
    ['created_at', [null, 1]],
    ['id', [null]],
    ['id', ['1']],
    ['id', [1.5]],
    ['id', [2 ** 53]],
    ['id', [[1]]],
    ['id', []],
    ['id', [1, 2]],
    ['username', [null]],
    ['username', [7]],
    ['username', ['a\0b']],
    ['username', ['\ud800']],
    ['email', ['\udc00 a', 1]],
    ['email', [['a'], 1]],
    ['gender', [3, 1]],
    ['gender', [-1, 1]],
    ['gender', [0.5, 1]],
    ['gender', ['male', 1]],
  ])('in ?ordering=%s the values %j', async (ordering, values) => {
    const keys =
      ordering === 'id' || ordering === 'username' ? ordering : `${ordering},${ordering[0] === '-' ? '-' : ''}id`;
    const { status, text, problem } = await ask(forge(JSON.stringify([keys, 1, ...values])), { ordering, side });
    expect(status, text).toBe(400);
    expect(problem().errors).toEqual({ [side]: [ofAnotherOrder] });
  });
});

describe('whatever a client forges', () => {
  const digits = (maximum: number, length: number) =>
    fc.nat(maximum).map((number) => String(number).padStart(length, '0'));
  const years = [0, 1, 4, 4713, 4714, 9999, 10_000, 275_760, 275_761, 294_276, 294_277];
  const year = fc.oneof(
    fc.constantFrom(...years).map((year) => String(year).padStart(4, '0')),
    digits(300_000, 4),
  );
  const timestamp = fc
    .tuple(
      ...[year, digits(13, 2), digits(32, 2), digits(24, 2), digits(60, 2), digits(60, 2), digits(999_999, 6)],
      fc.constantFrom('Z', 'Z', 'Z BC', '', ' BC', '+00'),
    )
    .map(
      ([year, month, day, hour, minute, second, micro, zone]) =>
        `${year}-${month}-${day}T${hour}:${minute}:${second}.${micro}${zone}`,
    );
  const likelyTimestamp = fc
    .tuple(year, digits(11, 1), digits(30, 1), fc.constantFrom('Z', 'Z BC'))
    .map(
      ([year, month, day, zone]) =>
        `${year}-${String(Number(month) + 1).padStart(2, '0')}-${String(Number(day) + 1).padStart(2, '0')}T12:00:00.000000${zone}`,
    );
  const time = fc.oneof(timestamp, likelyTimestamp, fc.constantFrom('infinity', '-infinity'));
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    // Lone surrogates, which JSON can say and UTF-8 cannot.
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
    fc.nat(300_000).map((length) => 'ü'.repeat(length)),
  );
  const number = fc.oneof(fc.maxSafeInteger(), fc.double(), fc.integer({ min: -1, max: 8 }), fc.constant(-0));
  const value = fc.oneof(time, text, number, fc.constant(null), fc.jsonValue());

  const valuesOf = { id: number, username: text, email: text, gender: number, last_login: time, created_at: time };
  type Field = keyof typeof valuesOf;
  /** A cursor that may well have been made in its ordering. */
  const likely = fc
    .tuple(fc.shuffledSubarray(Object.keys(valuesOf) as Field[], { minLength: 1 }), fc.boolean())
    .chain(([fields, descending]) => {
      const total = fields.some((field) => field === 'id' || field === 'username')
        ? fields
        : [...fields, 'id' as const];
      const unique = total.findIndex((field) => field === 'id' || field === 'username');
      const keys = total.slice(0, unique + 1);
      const sign = descending ? '-' : '';
      const values = fc.tuple(
        ...keys.map((field) => fc.oneof({ weight: 9, arbitrary: valuesOf[field] }, { weight: 1, arbitrary: value })),
      );
      return values.map((values) => ({
        ordering: fields.map((field) => sign + field).join(),
        json: JSON.stringify([keys.map((field) => sign + field).join(), 1, ...values]),
      }));
    });
  const side = fc.constantFrom('after', 'before');

  test('is answered by a page or a 400, and the database reads what passes', { timeout: 240_000 }, async () => {
    const statuses = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(likely, side, async ({ ordering, json }, side) => {
        const { status, text } = await ask(forge(json), { ordering, side });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect([200, 400], text).toContain(status);
      }),
      { numRuns: 1000 },
    );
    // Neither all too wrong nor all too right to say anything.
    expect(statuses.get(200)).toBeGreaterThan(100);
    expect(statuses.get(400)).toBeGreaterThan(100);
  });

  test('of any JSON, or of none, is a 400', async () => {
    const content = fc.oneof(
      fc.json().map((json) => Buffer.from(json)),
      fc.array(value).map((values) => Buffer.from(JSON.stringify(values))),
      fc.tuple(value, value, value).map((values) => Buffer.from(JSON.stringify(values))),
      fc.uint8Array(),
    );
    await fc.assert(
      fc.asyncProperty(content, side, async (content, side) => {
        const { status, text } = await ask(forge(content), { side });
        expect(status, text).toBe(400);
      }),
      { numRuns: 500 },
    );
  });

  test('of any text at all is a 400', async () => {
    await fc.assert(
      fc.asyncProperty(text, side, async (text, side) => {
        const { status } = await ask(encodeURIComponent(`${text.toWellFormed()}!`), { side });
        expect(status).toBe(400);
      }),
    );
  });
});

import { expect, test } from 'vitest';
import { isExactText } from '../lib/database/timestamps.ts';

/** Day and time of a year before or after the bounds, or within. */
const noon = '-06-15T12:00:00.000000Z';

test.each([
  'infinity',
  '-infinity',
  '2026-02-21T07:20:25.338627Z',
  '2026-12-31T23:59:59.999999Z',
  '2024-02-29T00:00:00.000000Z',
  '2000-02-29T00:00:00.000000Z',
  `0001${noon}`,
  `9999${noon}`,
  `10000${noon}`,
  '12000-02-29T00:00:00.000000Z',
  `99999${noon}`,
  `100000${noon}`,
  `275761${noon}`, // where a Date of JavaScript ends
  '294276-12-31T23:59:59.999999Z',
  `0001${noon} BC`,
  '0001-02-29T00:00:00.000000Z BC', // the year 0
  '0045-02-29T00:00:00.000000Z BC',
  '0401-02-29T00:00:00.000000Z BC',
  `4713${noon} BC`,
  '4713-01-01T00:00:00.000000Z BC',
  '4714-12-31T23:59:59.999999Z BC',
  '4714-11-24T00:00:00.000000Z BC',
])('%s is a time as the database writes it', (text) => {
  expect(isExactText(text)).toBe(true);
});

test.each([
  `0000${noon}`,
  `0000${noon} BC`,
  `294277${noon}`,
  `999999${noon}`,
  '4714-11-23T23:59:59.999999Z BC',
  `4714${noon} BC`,
  `4715${noon} BC`,
  '4715-12-31T00:00:00.000000Z BC',
  '2026-02-29T00:00:00.000000Z',
  '1900-02-29T00:00:00.000000Z',
  '0004-02-29T00:00:00.000000Z BC',
  '0101-02-29T00:00:00.000000Z BC',
  '2026-04-31T00:00:00.000000Z',
  '2026-01-32T00:00:00.000000Z',
  '2026-00-10T00:00:00.000000Z',
  '2026-13-10T00:00:00.000000Z',
  '2026-02-00T00:00:00.000000Z',
  '2026-02-21T24:00:00.000000Z',
  '2026-02-21T23:60:00.000000Z',
  '2026-06-30T23:59:60.000000Z',
  `26${noon}`,
  `926${noon}`,
  `02026${noon}`,
  `1002026${noon}`,
  '2026-02-21T07:20:25.33862Z',
  '2026-02-21T07:20:25.3386277Z',
  '2026-02-21T07:20:25Z',
  '2026-02-21T07:20:25.338627',
  `2026${noon}BC`,
  `2026${noon} AD`,
  `2026${noon} BC `,
  `2026${noon}\n`,
  ` 2026${noon}`,
  '',
  'Infinity',
  '+infinity',
  'infinity ',
  'now',
])('%j is none', (text) => {
  expect(isExactText(text)).toBe(false);
});

test.each([0, 2026, null, undefined, true, {}, [`2026${noon}`], ['infinity'], new String(`2026${noon}`)])(
  '%j, which is no text, is none',
  (value) => {
    expect(isExactText(value)).toBe(false);
  },
);

test('with any one character changed, left out or doubled it is none', () => {
  for (const text of [
    '2026-02-21T07:20:25.338627Z',
    '10000-02-21T07:20:25.338627Z',
    '0044-02-21T07:20:25.338627Z BC',
  ]) {
    for (const [index, character] of [...text].entries()) {
      const [before, after] = [text.slice(0, index), text.slice(index + 1)];
      const isYear = index < text.indexOf('-');
      const changed = [
        `${before}x${after}`,
        ...(isYear ? [] : [before + after, before + character + character + after]),
      ];
      expect(changed.filter(isExactText)).toEqual([]);
    }
  }
});

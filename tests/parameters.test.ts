import fc from 'fast-check';
import { distance } from 'fastest-levenshtein';
import { describe, expect, test, vi } from 'vitest';
import { HttpError, type ParameterErrors } from '../lib/http/errors.ts';
import { flag, type Schema } from '../lib/kinds.ts';
import { readParameters } from '../lib/parameters.ts';
import { toCursor } from '../lib/users/cursor.ts';
import { newestFirst } from '../lib/users/ordering.ts';
import { parameters } from '../lib/users/query.ts';
import type { UserRow } from '../lib/users/row.ts';
import { selectUsers } from '../lib/users/statement.ts';
import { queryOf, requestOf } from './setup/request.ts';

vi.mock('fastest-levenshtein', { spy: true });

const names = Object.keys(parameters) as (keyof typeof parameters)[];

/** What the 400 of a query says; an empty object when there is none. */
function errorsOf(rawQuery: string): ParameterErrors {
  return refusalOf(rawQuery)?.errors ?? {};
}

function refusalOf(rawQuery: string): HttpError | undefined {
  try {
    queryOf(rawQuery);
    return undefined;
  } catch (error) {
    if (error instanceof HttpError && (error.status === 400 || error.status === 406)) return error;
    throw error;
  }
}

/** The values that a query sends to the database. */
const boundValues = (rawQuery: string): unknown[] => selectUsers(queryOf(rawQuery)).parameters.flat();

/** A value of the kind, by its schema. */
function sampleOf({ type, format, enum: values, items }: Schema): string {
  if (items) return sampleOf(items);
  if (values) return values[0] as string;
  if (format === 'date') return '2026-02-21';
  return { boolean: 'true', integer: '1', string: 'ann', array: '' }[type];
}

const cursor = toCursor({ id: 5 } as UserRow, newestFirst, 0) as string;

const safeRange = 'from -9007199254740991 to 9007199254740991';
const wholeNumber = `Expected a whole number, ${safeRange}.`;
const atLeastOne = 'Expected a whole number, at least 1.';
const notNegative = 'Expected a whole number, from 0 to 9007199254740991.';
const calendarDay = 'Expected a calendar day as YYYY-MM-DD, from 0001-01-01 to 9999-12-31.';
const yesOrNo = 'Expected true, false, 1 or 0.';
const genders = 'Expected one of: male, female, other.';
const sortKeys =
  'Expected one of: id, -id, username, -username, email, -email, gender, -gender, last_login, -last_login, created_at, -created_at, ' +
  'updated_at, -updated_at.';
const onlyMarks = 'expected letters, digits or signs; it has only accents and joiners.';
/** A list's message ends in how one is written: ` Write it as groups_in=1,4,5.` */
const forms = Object.fromEntries(
  Object.entries(parameters).map(([name, { schema, example }]) => [
    name,
    schema.type === 'array' ? ` Write it as ${name}=${example}.` : '',
  ]),
);
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index).join(',');

describe('a value of the wrong kind is a 400 that says what was expected', () => {
  test.each<[name: keyof typeof parameters, message: string, values: string[]]>([
    [
      'limit',
      atLeastOne,
      ['0', '-1', '1.5', 'ten', '1e3', '0x10', '+5', ' 5', '5 ', '٣', '1,2', '-', '1\n', 'Infinity', 'NaN'],
    ],
    ['offset', notNegative, ['-1', '0.5', '9007199254740992', 'null', `1${'0'.repeat(400)}`]],
    ['id_min', wholeNumber, ['9007199254740992', '-9007199254740992', '9007199254740993', '--1', '1_000', 'None']],
    ['group_id', wholeNumber, ['1,2', '1.0', '9'.repeat(100)]],
    [
      'created_date',
      calendarDay,
      [
        '2026-02-30',
        '2026-02-29',
        '1900-02-29',
        '0000-01-01',
        '2026-13-01',
        '2026-00-10',
        '2026-01-00',
        '2026-2-3',
        '10000-01-01',
        '-0001-01-01',
        '20260221',
        '2026-02-21T00:00:00Z',
        '2026-02-21 ',
        'today',
        '۲۰۲۶-۰۲-۲۱',
        'infinity',
      ],
    ],
    ['last_login_to', calendarDay, ['2026-04-31', 'epoch']],
    ['is_active', yesOrNo, ['yes', 'on', '2', 't', '01', 'true ', 'null', '-1', 'true,false']],
    ['gender', genders, ['m', 'males', 'male ', 'male,female', 'ＭＡＬＥ', '-male']],
    [
      'ordering',
      `Value 1 of 1: ${sortKeys}`,
      ['name', 'ID', '--id', '+id', '- id', 'first_name', 'is_active', 'constructor', '-'],
    ],
    ['ordering', `Value 2 of 2: ${sortKeys}`, ['id,', 'id,password', 'id,id;drop table users']],
    ['ordering', 'Expected each field at most once; "id" is given twice.', ['id,id', 'id,-id', 'email,-id,gender,id']],
    [
      'ordering',
      'Expected at most 7 values, separated by commas; these are 8.',
      ['id,username,email,gender,last_login,created_at,updated_at,-id'],
    ],
    ['groups_in', `Value 2 of 3: ${wholeNumber}`, ['1,,2', '1,a,2', '1,1.5,2', '1,\t2,3']],
    ['groups_in', `Value 1 of 2: ${wholeNumber}`, [',', 'x,y']],
    ['groups_in', 'Expected at most 100 values, separated by commas; these are 101.', [numbers(101)]],
    ['search', 'Expected at most 200 characters; this has 201.', ['x'.repeat(201), '😀'.repeat(201)]],
    ['search', 'Expected at most 10 terms; these are 11.', ['a b c d e f g h i j k', 'a,b,c,d,e,f,g,h,i,"j j"k']],
    ['search', `Term 1 of 1: ${onlyMarks}`, ['\u0301', '\u200c', '"\u0640"', '\u064b\u0650\u200d']],
    ['search', `Term 2 of 3: ${onlyMarks}`, ['ann \u0301 bob']],
  ])('?%s: %s', (name, message, values) => {
    for (const value of values) {
      expect(errorsOf(`${name}=${encodeURIComponent(value)}`), value).toEqual({ [name]: [message + forms[name]] });
    }
  });

  test.each(['1 2', '[1,2]', '[1, 2]', '(1,2)', '1;2', '"1,2"', '1|2'])(
    'a list written as %s is told how lists are written',
    (value) => {
      const [message] = errorsOf(`groups_in=${encodeURIComponent(value)}`)['groups_in'] ?? [];
      expect(message).toMatch(/ Write it as groups_in=1,4,5\.$/);
    },
  );
});

test('values at their bounds, and in every spelling that is promised, are read', () => {
  const accepted: [keyof typeof parameters, string[]][] = [
    ['limit', ['1', '007', '1000', '1001', `1${'0'.repeat(30)}`]],
    ['offset', ['0', '9007199254740991']],
    ['id_min', ['-9007199254740991', '0', '9007199254740991']],
    ['id_max', ['-1']],
    ['created_date', ['2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31']],
    ['is_staff', ['true', 'True', 'TRUE', 'tRuE', 'false', 'False', 'FALSE', '1', '0']],
    ['gender', ['male', 'Male', 'FEMALE', 'oTher']],
    ['groups_in', ['1', ' 1 , 2 ', '  1  ,  2  ', '-5,0', '1,1', numbers(100)]],
    [
      'ordering',
      ['id', '-id', 'gender,-email', ' id , -email ', '-updated_at,created_at,last_login,gender,email,username,id'],
    ],
    [
      'search',
      ['x'.repeat(200), '😀'.repeat(200), 'a b c d e f g h i j', 'a\tb\nc\r\fd', '"', '"" ""', ',', ' ', '\u00b4'],
    ],
  ];
  for (const [name, values] of accepted) {
    for (const value of values)
      expect(errorsOf(`${name}=${encodeURIComponent(value)}`), `${name}=${value}`).toEqual({});
  }
});

test.each([
  ['', 10],
  ['limit=1', 1],
  ['limit=1000', 1000],
  ['limit=1001', 1000],
  [`limit=1${'0'.repeat(30)}`, 1000],
])('?%s is a page of %i at most', (rawQuery, limit) => {
  expect(queryOf(rawQuery).limit).toBe(limit);
});

test('the values of a query are read as they mean', () => {
  const query = 'id_min=-5&created_from=2024-02-29&groups_in=3,%201&search=A%2Bb+c=d&ordering=-email,id&offset=7';
  expect(queryOf(query)).toMatchObject({
    limit: 10,
    offset: 7,
    ordering: [
      { field: 'email', descending: true },
      { field: 'id', descending: false },
    ],
  });
  expect(boundValues(query)).toEqual(expect.arrayContaining([-5, '2024-02-29T00:00:00Z', 3, 1, 'A+b', 'c=d']));
});

describe.each(names)('?%s', (name) => {
  const sample = name === 'after' || name === 'before' ? cursor : sampleOf(parameters[name].schema);

  test('takes a value of its kind', () => {
    expect(queryOf(`${name}=${sample}`).given).toEqual(new Map([[name, sample]]));
  });

  test('does not count as given when it is empty', () => {
    for (const rawQuery of [`${name}=`, name, `${name}=&${name}=`, `&${name}=&`]) {
      expect(queryOf(rawQuery)).toEqual(queryOf(''));
    }
    expect(queryOf(`${name}=&${name}=${sample}`).given).toEqual(new Map([[name, sample]]));
  });

  test('counts once when the same value is given twice, as by clients that send it along with `next`', () => {
    const encoded = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
    for (const rawQuery of [`${name}=${sample}&${name}=${sample}`, `${name}=${sample}&limit=&${encoded}=${sample}`]) {
      expect(queryOf(rawQuery).given).toEqual(new Map([[name, sample]]));
      expect(boundValues(rawQuery)).toEqual(boundValues(`${name}=${sample}`));
    }
  });

  const isList = parameters[name].schema.type === 'array';
  if (!isList) {
    test('is refused with values that differ', () => {
      const errors = (count: number) => ({ [name]: [`Expected one value; ${count} different ones are given.`] });
      expect(errorsOf(`${name}=${sample}&${name}=other`)).toEqual(errors(2));
      expect(errorsOf(`${name}=${sample}&${name}=other&${name}=&${name}=third&${name}=other`)).toEqual(errors(3));
    });
  }

  test('is refused with a NUL or another control character', () => {
    for (const control of ['%00', '%01', '%08', '%1F', '%7f', '%C2%80', '%c2%9f']) {
      for (const value of [control, sample + control, control + sample]) {
        expect(Object.keys(errorsOf(`${name}=${value}`)), value).toEqual([name]);
      }
    }
  });

  test('is refused when it is not percent-encoded UTF-8', () => {
    for (const value of [
      '%',
      '%zz',
      '%ff',
      '%c3',
      '%c3%28',
      '%ed%a0%80',
      '%f5%80%80%80',
      '%c0%80',
      '\ud800',
      `${sample}%`,
    ]) {
      expect(errorsOf(`${name}=${value}`), value).toEqual({
        [name]: [`Expected percent-encoded UTF-8.${forms[name]}`],
      });
    }
  });

  test('is not known in another letter case', () => {
    expect(errorsOf(`${name.toUpperCase()}=${sample}`)).toHaveProperty(name.toUpperCase());
  });
});

test.each([
  ['groups_in=1&groups_in=4', '1,4'],
  ['groups_in=4,1&groups_in=&groups_in=7', '4,1,7'],
  ['groups_in=1&groups_in=1', '1'],
  ['ordering=gender&ordering=-id', 'gender,-id'],
])('a list may be repeated: ?%s is %s', (rawQuery, joined) => {
  const name = rawQuery.slice(0, rawQuery.indexOf('='));
  expect(queryOf(rawQuery).given).toEqual(new Map([[name, joined]]));
  expect(boundValues(rawQuery)).toEqual(boundValues(`${name}=${joined}`));
});

test('what lists say together is what they say in one', () => {
  const hundred = numbers(100);
  expect(errorsOf(`groups_in=${hundred}&groups_in=100`)['groups_in']?.[0]).toMatch(/at most 100 values.*these are 101/);
  expect(errorsOf('ordering=id&ordering=-id')['ordering']?.[0]).toMatch(/"id" is given twice/);
});

test.each([
  ['genders=male', 'genders', 'gender'],
  ['is_actve=true', 'is_actve', 'is_active'],
  ['Limit=5', 'Limit', 'limit'],
  ['LIMIT=5', 'LIMIT', 'limit'],
  ['lmiit=', 'lmiit', 'limit'],
  ['last_login_form=2026-01-01', 'last_login_form', 'last_login_from'],
  ['search%00=ann', 'search\0', 'search'],
  ['limit[]=1', 'limit[]', 'limit'],
  ['page=2', 'page', 'offset'],
  ['start=20', 'start', 'offset'],
  ['skip=20', 'skip', 'offset'],
  ['page_size=5', 'page_size', 'limit'],
  ['per_page=5', 'per_page', 'limit'],
  ['size=5', 'size', 'limit'],
  ['q=ann', 'q', 'search'],
  ['query=ann', 'query', 'search'],
  ['term=ann', 'term', 'search'],
  ['page=2&page=2', 'page', 'offset'],
  ['page=2&page=3', 'page', 'offset'],
  ['id_mx=5', 'id_mx', 'id_max'], // nearer than id_min, which stands before it
])('?%s asks whether %s should be %s', (rawQuery, name, meant) => {
  expect(errorsOf(rawQuery)).toEqual({ [name]: [`Unknown parameter. Did you mean "${meant}"?`] });
});

test.each([
  ['order%69ngs', 'orderings', 'ordering'],
  ['sort=id', 'sort', 'ordering'],
  ['sort_by=id', 'sort_by', 'ordering'],
  ['order=id', 'order', 'ordering'],
  ['order_by=id', 'order_by', 'ordering'],
  ['groups_in[]=1&groups_in[]=4', 'groups_in[]', 'groups_in'],
  ['groups_in[0]=1', 'groups_in[0]', 'groups_in'],
  ['groups_in[10]=1', 'groups_in[10]', 'groups_in'],
  ['groups_im=1', 'groups_im', 'groups_in'],
])('?%s asks whether %s should be %s, and says how a list is written', (rawQuery, name, meant) => {
  expect(errorsOf(rawQuery)).toEqual({ [name]: [`Unknown parameter. Did you mean "${meant}"?${forms[meant]}`] });
});

test.each([
  'foo',
  '_',
  'utm_source',
  'first_name',
  'x'.repeat(8),
  'id',
  'aftr',
  'befor',
  'format_type',
  'limx',
  'groups_in[0]x',
  '',
])('of a name that is near none, as %j, it only says where they are documented', (name) => {
  const documented = { [name]: ['Unknown parameter. The parameters are documented at /api/docs/.'] };
  for (const rawQuery of [`${name}=1`, `${name}=1&${name}=2`]) expect(errorsOf(rawQuery)).toEqual(documented);
});

test.each(['cursor', 'After', 'before[]'])(
  'a cursor is never guessed: whoever asks for one, as by %s, is told to follow the links',
  (name) => {
    const follow = { [name]: ['Unknown parameter. Follow the links `next` and `previous` of an answer.'] };
    expect(errorsOf(`${name}=abc`)).toEqual(follow);
  },
);

test('names of what every object has are names like any other', () => {
  const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
  const refusal = refusalOf(inherited.map((name) => `${name}=1`).join('&'));
  expect(Object.keys(refusal?.errors ?? {})).toEqual(inherited);
});

test('a name of a hundred thousand letters is refused like a short one, and compared with none', () => {
  errorsOf('limti=1');
  expect(distance).toHaveBeenCalledWith('limti', 'limit');
  vi.mocked(distance).mockClear();
  expect(errorsOf(`${'limit'.repeat(20_000)}=1`)).toHaveProperty(['limit'.repeat(20_000)]);
  expect(distance).not.toHaveBeenCalled();
});

test('all faults of a query are reported at once, by name, in `errors` and in `detail`', () => {
  const refusal = refusalOf('limit=0&is_active=maybe&gender=male&foo=1&id_min=1&id_min=2&search=%00&offset=5&%ff=1');
  const errors = {
    limit: [atLeastOne],
    is_active: [yesOrNo],
    foo: [expect.stringMatching(/^Unknown parameter/)],
    id_min: ['Expected one value; 2 different ones are given.'],
    search: ['Expected text without control characters.'],
    '%ff': [expect.stringMatching(/^Unknown parameter/)],
  };
  expect(refusal?.errors).toEqual(errors);
  expect(Object.keys(refusal?.errors ?? {})).toEqual(Object.keys(errors));
  for (const [name, messages] of Object.entries(refusal?.errors ?? {})) {
    expect(refusal?.detail).toContain(`${name}: ${messages[0]}`);
  }
});

test('a message quotes no value', () => {
  for (const name of names.filter((name) => name !== 'search' && name !== 'format')) {
    expect(refusalOf(`${name}=hunter2`)?.detail).not.toContain('hunter2');
  }
});

test('a bug in a kind is not taken for a fault of the query', () => {
  const broken = {
    ...flag,
    doc: '',
    read: () => {
      throw new RangeError('a bug');
    },
  };
  expect(() => readParameters(requestOf('x=1'), { x: broken }, { unknownParameters: 'refuse' })).toThrow(RangeError);
});

describe('whatever the query', () => {
  const codeUnit = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit));
  const awkward = fc.constantFrom(
    '',
    '%',
    '%0',
    '%00',
    '%zz',
    '%ff',
    '%ed%a0%80',
    '+',
    '=',
    '==',
    '\0',
    '\ud800',
    '\udc00',
    '%EF%BB%BF',
    '"',
    '%22',
    ',',
    '\\',
    "'",
    ';',
    '__proto__',
    'constructor',
    'toString',
    '1',
    '-1',
    'true',
    '2026-02-21',
    '0000-00-00',
    'male',
    '-id',
    'id,id',
    '1e309',
    '9'.repeat(30),
  );
  const text = fc.oneof(
    awkward,
    fc.string({ unit: codeUnit, maxLength: 20 }),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
  );
  const value = fc.oneof(
    text,
    text.map((text) => encodeURIComponent(text.toWellFormed())),
    fc.array(awkward, { maxLength: 5 }).map((parts) => parts.join('')),
  );
  const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom<string>(...names) }, value);
  const piece = fc.oneof({ weight: 6, arbitrary: fc.tuple(name, value).map((pair) => pair.join('=')) }, value);
  const rawQuery = fc.oneof(
    { weight: 3, arbitrary: fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('&')) },
    fc.string({ unit: codeUnit, maxLength: 60 }),
  );

  test('it becomes a value, a 400 that names each fault or the 406 of a format, and no NUL gets into a statement', () => {
    fc.assert(
      fc.property(rawQuery, (rawQuery) => {
        const refusal = refusalOf(rawQuery); // throws what is neither a 400 nor a 406
        if (!refusal) {
          expect(JSON.stringify(boundValues(rawQuery))).not.toContain('\\u0000');
          return;
        }
        if (refusal.status === 406) {
          expect(rawQuery).toMatch(/format=/);
          return;
        }
        const errors = Object.entries(refusal.errors ?? {});
        expect(errors.length).toBeGreaterThan(0);
        for (const [, messages] of errors) {
          expect(messages).toHaveLength(1);
          expect(messages[0]).toMatch(/^\p{Lu}.*[.?]$/u);
        }
        expect(refusal.detail.isWellFormed()).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('each parameter with any text is read, or refused by its own name', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.oneof(awkward, fc.string({ unit: 'binary' })), (name, text) => {
        const errors = errorsOf(`${name}=${encodeURIComponent(text.toWellFormed())}`);
        expect([[], [name]]).toContainEqual(Object.keys(errors));
      }),
      { numRuns: 2000 },
    );
  });

  test('whole numbers are read exactly, or refused beyond 2^53', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), (number) => {
        const isSafe = number >= BigInt(Number.MIN_SAFE_INTEGER) && number <= BigInt(Number.MAX_SAFE_INTEGER);
        if (isSafe) expect(boundValues(`id_min=${number}`)).toEqual([Number(number), Number(number)]);
        else expect(errorsOf(`id_min=${number}`)).toEqual({ id_min: [wholeNumber] });
      }),
    );
  });

  test('days are read when the calendar has them', () => {
    const daysOfMonth = (year: number, month: number) => {
      const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
      return [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
    };
    const part = (max: number, width: number) => fc.nat({ max }).map((number) => String(number).padStart(width, '0'));
    fc.assert(
      fc.property(part(9999, 4), part(13, 2), part(32, 2), (year, month, day) => {
        const exists = Number(year) > 0 && Number(day) > 0 && Number(day) <= daysOfMonth(Number(year), Number(month));
        expect(Object.keys(errorsOf(`created_date=${year}-${month}-${day}`))).toEqual(exists ? [] : ['created_date']);
      }),
      { numRuns: 1000 },
    );
  });
});

import fc from 'fast-check';
import { cases } from '../filter-cases.ts';

const day = 86_400_000;

/** Within four days, so that each day has some; some on its bounds, some to the microsecond. */
const time = (first: string, days = 4): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(days * 4 - 1), fc.constantFrom(0, 0, 1, 21_600_000 - 1), fc.constantFrom('', '', '627', '999'))
    .map(([quarter, milliseconds, rest]) =>
      new Date(Date.parse(first) + (quarter * day) / 4 + milliseconds).toISOString().replace('Z', `${rest}Z`),
    );

const often = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 4 });

/** Nothing that folding changes, so that `icontains` finds what the search finds. */
const name = fc.constantFrom('Ann', 'bob', 'Van Dyk', "O'Neil", 'MacLeod', 'علی', 'کریمی', 'D_50%', 'x\\y');

const person = fc.record({
  mobile_number: often(fc.nat(9999).map((number) => `0915${number}`)),
  email: often(fc.constantFrom('', 'ann@example.com', 'Bob@Example.org', 'c_d%@example.com')),
  is_email_verified: fc.boolean(),
  avatar: often(fc.constantFrom('', 'avatars/1 ü.png', 'https://cdn.example.com/cat.png?v=1')),
  first_name: often(name),
  last_name: often(name),
  gender: often(fc.constantFrom('male', 'female', 'other')),
  is_active: fc.boolean(),
  is_staff: fc.boolean(),
  is_admin: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  is_customer: fc.boolean(),
  is_profile_completed: fc.boolean(),
  last_login: often(time('2026-02-20')),
  created_at: time('2026-01-01'),
  updated_at: time('2026-03-01'),
  last_seen_at: often(fc.constantFrom('2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z')),
});

/** So many people by the documented names, the same each time, with ids from 1. The first is an admin. */
export function crowd(count: number) {
  const people = fc.sample(person, { numRuns: count, seed: 1 });
  return people.map((each, index) => ({
    ...each,
    id: index + 1,
    username: `user-${index + 1}`,
    // Unique, where there is one.
    mobile_number: each.mobile_number && `${each.mobile_number}${index}`,
    invite_code: index % 3 === 0 ? `CODE${index}` : null,
    invited_by_id: index % 4 === 0 ? null : 1 + ((index * 7) % count),
    ...(index === 0 && { is_admin: true, is_active: true }),
  }));
}

const filters = Object.entries(cases).flatMap(([name, values]) =>
  values.map(([value]) => `${name}=${encodeURIComponent(value)}`),
);
const fields = ['id', 'username', 'email', 'gender', 'last_login', 'created_at', 'updated_at'];
const orderings = fields.flatMap((field) => [`ordering=${field}`, `ordering=-${field}`]);
const searches = [
  'ann',
  'ANN bob',
  'user-1',
  '12',
  "o'n",
  '%',
  '_',
  '\\',
  'dyk,van',
  'علی',
  '0915',
  'example.org',
  'nobody',
];
const single = [...filters, ...orderings, ...searches.map((text) => `search=${encodeURIComponent(text)}`)];
const pages = ['limit=1000', 'limit=7&offset=14', 'offset=1000'];

/** Each filter, ordering and search by itself; and combinations of several, the same each time. */
export const queries: string[] = [
  '',
  ...single,
  ...fc.sample(
    fc
      .tuple(
        fc.subarray(filters, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...orderings),
        fc.constantFrom(...pages),
      )
      .map(([some, ordering, page]) =>
        [...new Map(some.map((each) => [each.split('=')[0], each])).values(), ordering, page].join('&'),
      ),
    { numRuns: 100, seed: 1 },
  ),
  'ordering=gender,-created_at,email&limit=1000',
];

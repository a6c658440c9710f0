import type { Insertable } from 'kysely';
import type { Database } from '../lib/database/tables.ts';

type NewUser = Insertable<Database['users']>;

/** The two users of the documentation's example response, field by field. */
const documented: NewUser[] = [
  {
    id: 1,
    username: 'keegan2255',
    mobile_number: '09150207211',
    email: 'kevin@arsenal.com',
    is_email_verified: true,
    first_name: 'kevin',
    last_name: 'keegan',
    gender: 'male',
    invite_code: 'egiZXBO',
    is_admin: true,
    is_customer: false,
    is_profile_completed: true,
    last_login: '2026-02-21T07:13:37.888614Z',
    created_at: '2026-02-21T07:03:21.109234Z',
    updated_at: '2026-02-21T07:03:53.350540Z',
  },
  {
    id: 2,
    username: 'moratti120',
    mobile_number: '09150207212',
    email: 'masimo@intermilan.com',
    first_name: 'masimo',
    last_name: 'moratti',
    gender: 'male',
    invited_by_id: 1,
    is_staff: true,
    is_customer: false,
    is_profile_completed: true,
    last_login: '2026-02-21T07:20:25.338627Z',
    created_at: '2026-02-21T07:20:25.859632Z',
    updated_at: '2026-02-21T07:20:25.859657Z',
  },
];

/** Names that a program may stumble over: [first, last]. */
const names: [string | null, string | null][] = [
  ['علی', 'رضایی'],
  ['علي', 'كريمي'],
  ['زهرا', 'محمدی‌نژاد'],
  ['İpek', 'Çelik'],
  ['Ilgın', 'Şahin'],
  ['Zoë', "O'Brien"],
  ['José', 'Núñez'],
  ['Søren', 'Ångström'],
  ['Jean-Luc', 'd’Arc'],
  ['Robert"); DROP TABLE users;--', 'Tables'],
  ['100%', 'under_score'],
  ['back\\slash', '"quoted"'],
  ['comma, inside', '<b>bold</b>'],
  ['😀', '👩‍👩‍👧‍👦'],
  ['ﬁnn', 'Ｆｕｌｌｗｉｄｔｈ'],
  ['Владимир', 'Иванов'],
  ['Γιώργος', 'Παπαδόπουλος'],
  ['田中', '太郎'],
  ['', ''],
  [null, null],
  ['Mononym', null],
  [null, 'Lastonly'],
  ['  spaced  ', ' out '],
  ['a', 'b'],
];

/** The ids of the users that the documentation does not show. */
export const inventedIds = Array.from({ length: 66 }, (_, index) => index + 3);

export const demoUsers: NewUser[] = [...documented, ...inventedIds.map(toDemoUser)];

function toDemoUser(id: number): NewUser {
  const [first_name = null, last_name = null] = names[id % names.length] ?? [];
  const isCustomer = id % 7 === 0;
  const created = new Date(Date.UTC(2026, 1, 22 + id, id % 24, id % 60)).toISOString();
  return {
    id,
    username: `${['sam', 'kim', 'alex', 'noor'][id % 4]}${id}`,
    mobile_number: id % 5 === 0 ? null : `0915${String(1_000_000 + id * 7919)}`,
    email: id % 6 === 0 ? null : `user${id}@example.com`,
    is_email_verified: id % 3 === 0,
    avatar:
      [null, `avatars/${id}.png`, 'avatars/a b/ü #1?.png', `https://cdn.example.com/${id}.jpg`, ''][id % 5] ?? null,
    first_name,
    last_name,
    gender: (['male', 'female', 'other', null] as const)[id % 4] ?? null,
    invited_by_id: id > 9 && id % 3 === 0 ? 3 : null,
    invite_code: id % 4 === 0 ? `INV${id}` : null,
    is_active: id % 11 !== 0,
    is_staff: !isCustomer && id % 10 !== 0,
    is_admin: !isCustomer && id % 10 === 0,
    is_customer: isCustomer || id % 13 === 0,
    is_profile_completed: id % 2 === 0,
    last_login: id % 8 === 0 ? null : created,
    created_at: created, // midnight now and then, and never with microseconds
    updated_at: created,
  };
}

import type { Updateable } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { requireText } from './arguments.ts';
import { OperatorError } from './operator-error.ts';

/** The user's name is no option of `create-user`, and no other has what `--no-` would leave of it. */
type Row = Omit<Updateable<Database['users']>, 'username'>;

/** `form`: what stands for a text in a usage line; a field without one is a flag. `require` throws where a text is a slip. */
type Field = { column: keyof Row; form?: string; require?: (option: string, text: string) => void };

/** The table: a row is an option of `create-user` and `update-user`, and the column that it writes. */
const fields: Record<string, Field> = {
  email: { column: 'email', form: 'address', require: requireAddress },
  'mobile-number': { column: 'mobile_number', form: 'number', require: requireMobileNumber },
  'first-name': { column: 'first_name', form: 'text', require: requireText },
  'last-name': { column: 'last_name', form: 'text', require: requireText },
  gender: { column: 'gender', form: 'male, female or other', require: requireGender },
  avatar: { column: 'avatar', form: 'path or URL', require: requireAvatar },
  'invite-code': { column: 'invite_code', form: 'text', require: requireText },
  'invited-by': { column: 'invited_by_id', form: 'username' }, // whoever writes it looks the user up
  'email-verified': { column: 'is_email_verified' },
  active: { column: 'is_active' },
  staff: { column: 'is_staff' },
  admin: { column: 'is_admin' },
  customer: { column: 'is_customer' },
  'profile-completed': { column: 'is_profile_completed' },
};

/** For `parseArgs`: each option, and the one that takes its value away. */
export const fieldOptions = Object.fromEntries(
  Object.entries(fields).flatMap(([name, { form }]) => [
    [name, { type: form === undefined ? ('boolean' as const) : ('string' as const) }],
    [`no-${name}`, { type: 'boolean' as const }],
  ]),
);

/** What `<field>` stands for in a usage line. */
export const fieldUsage = [
  `A <field> is one of ${toList(({ form }) => form !== undefined)},`,
  `  ${toList(({ form }) => form === undefined)}. With --no- before its name (--no-email, --no-active) it is none, or false.`,
];

function toList(isWanted: (field: Field) => boolean): string {
  const wanted = Object.entries(fields).filter(([, field]) => isWanted(field));
  return wanted.map(([name, { form }]) => (form === undefined ? `--${name}` : `--${name} <${form}>`)).join(', ');
}

/** The values of columns, but for the inviter, who is still a username; undefined where nothing is said of it. */
export type GivenFields = { row: Row; inviter?: string | null };

/** Throws an OperatorError where a value is a slip. */
export function readFields(values: Record<string, unknown>): GivenFields {
  const given: GivenFields = { row: {} };
  for (const [name, { column, require }] of Object.entries(fields)) {
    const value = readField(name, values);
    if (value === undefined) continue;
    if (typeof value === 'string') require?.(`--${name}`, value);
    if (column === 'invited_by_id') given.inviter = value as string | null;
    else Object.assign(given.row, { [column]: value });
  }
  return given;
}

function readField(name: string, values: Record<string, unknown>): unknown {
  const value = values[name];
  if (!values[`no-${name}`]) {
    // An empty variable of a shell is not meant to take anything away.
    if (value === '') throw new OperatorError(`--${name} needs a value; for none, say --no-${name}.`);
    return value;
  }
  if (value !== undefined) throw new OperatorError(`Give --${name} or --no-${name}, not both.`);
  return fields[name]?.form === undefined ? false : null;
}

/** No more than that it can be one: which addresses there are, only their mail servers know. */
function requireAddress(option: string, email: string): void {
  if (!/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email))
    throw new OperatorError(`${option} must be an address such as ann@example.com.`);
  requireText(option, email);
}

/** Digits of any script, as people write them. */
function requireMobileNumber(option: string, number: string): void {
  if (!/^[+(]*\p{Nd}[\p{Nd} ()-]*$/u.test(number) || number.trim() !== number)
    throw new OperatorError(`${option} must be a number such as 09150207211 or +98 915 020 7211.`);
  requireText(option, number);
}

function requireGender(option: string, gender: string): void {
  if (['male', 'female', 'other'].includes(gender)) return;
  throw new OperatorError(`${option} must be male, female or other, not "${gender}".`);
}

/** No index holds it, and browsers take addresses of this length. */
const mostOfAvatar = 2000;

/** A path goes behind `MEDIA_URL`; a URL is handed to clients as it is. */
function requireAvatar(option: string, avatar: string): void {
  requireText(option, avatar, mostOfAvatar);
  if (!/^[a-z][a-z0-9+.-]*:/i.test(avatar) || (/^https?:\/\//i.test(avatar) && URL.canParse(avatar))) return;
  throw new OperatorError(`${option} must be a path such as avatars/2.png, or a URL that begins with https://.`);
}

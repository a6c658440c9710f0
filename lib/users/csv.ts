import { stringify } from 'csv-stringify/sync';
import type { User } from './user.ts';

/** A user as a row: what is nested in JSON has columns of its own here; groups share one. */
type Row = Omit<User, 'invited_by' | 'groups_data'> & {
  invited_by_id: number | undefined;
  invited_by_username: string | undefined;
  invited_by_full_name: string | null | undefined;
  groups: string;
};

/** The header row. */
const columns = [
  'id',
  'username',
  'mobile_number',
  'email',
  'is_email_verified',
  'avatar',
  'first_name',
  'last_name',
  'full_name',
  'gender',
  'invited_by_id',
  'invited_by_username',
  'invited_by_full_name',
  'invite_code',
  'invitees_count',
  'is_active',
  'is_staff',
  'is_admin',
  'is_online',
  'is_profile_completed',
  'last_login',
  'created_at',
  'updated_at',
  'groups',
] as const satisfies (keyof Row)[];

// Does not compile while a field has no column.
true satisfies Exclude<keyof Row, (typeof columns)[number]> extends never ? true : false;

/**
 * RFC 4180 with a header row. A byte-order mark tells spreadsheets that it is UTF-8. A text that a spreadsheet would run as a formula
 * gets an apostrophe before it (OWASP, CSV Injection), but for phone numbers: `+98 915 000` calculates nothing.
 */
export function toCsv(users: User[]): string {
  return stringify(users.map(toRow), {
    bom: true,
    header: true,
    columns,
    record_delimiter: 'windows',
    quoted_string: true, // a spreadsheet takes quoted cells for text when told so, and keeps the zero of 0915
    escape_formulas: true,
    cast: {
      boolean: String,
      string: (text) => ({ value: text, escape_formulas: !isPhoneNumber(text) }),
    },
  });
}

function toRow({ invited_by, groups_data, ...user }: User): Row {
  return {
    ...user,
    invited_by_id: invited_by?.id,
    invited_by_username: invited_by?.username,
    invited_by_full_name: invited_by?.full_name,
    groups: groups_data.map(({ name }) => name).join('; '),
  };
}

const isPhoneNumber = (text: string): boolean => /^\+\d[\d ]*$/.test(text);

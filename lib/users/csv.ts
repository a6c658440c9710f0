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
null satisfies Exclude<keyof Row, (typeof columns)[number]> extends never ? null : undefined;

/**
 * RFC 4180 with a header row, in pieces that follow each other. A byte-order mark tells spreadsheets that it is UTF-8. A text that a
 * spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV Injection), but for phone numbers: `+98 915 000` calculates
 * nothing.
 */
export function toCsv(users: Iterable<User>): string[] {
  const pieces: string[] = [];
  let rows: Row[] = [];
  const endPiece = () => {
    pieces.push(toLines(rows, { isFirst: pieces.length === 0 }));
    rows = [];
  };
  for (const user of users) {
    rows.push(toRow(user));
    if (rows.length === rowsPerPiece) endPiece();
  }
  if (rows.length > 0 || pieces.length === 0) endPiece();
  return pieces;
}

/** Ten thousand rows at once, each with its groups, would take most of the function's memory. */
const rowsPerPiece = 100;

function toLines(rows: Row[], { isFirst }: { isFirst: boolean }): string {
  return stringify(rows, {
    bom: isFirst,
    header: isFirst,
    columns,
    record_delimiter: 'windows',
    quoted_string: true, // a spreadsheet takes quoted cells for text when told so, and keeps the zero of 0915
    cast: { boolean: String, string: (text) => (formula.test(text) ? `'${text}` : text) },
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

/**
 * What OWASP lists, full-width forms and the line feed included, but for phone numbers. csv-stringify's own `escape_formulas` knows no line
 * feed and no phone numbers.
 */
const formula = /^(?!\+\p{Nd}[\p{Nd} ]*$)[=+\-@\t\r\n＝＋－＠]/u;

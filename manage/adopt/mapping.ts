import * as v from 'valibot';
import { OperatorError } from '../operator-error.ts';

const name = v.pipe(v.string(), v.nonEmpty('expected a name, not an empty text.'));
const column = v.pipe(name, v.description('a column of the users\' table, or of a joined one: "profile.phone_number"'));

const values = v.pipe(
  v.record(v.string(), v.picklist(['male', 'female', 'other'])),
  v.description('what stands in the column, to what it means'),
);
const gender = v.pipe(
  v.union(
    [column, v.null(), v.strictObject({ column, values })],
    'expected a column; null; or {"column": "…", "values": {"…": "male" | "female" | "other"}}.',
  ),
  v.description('a column of male, female and other; or with what its values mean; null: there is none'),
);
const text = v.pipe(v.nullable(column), v.description('a column; null: there is none'));
const conditions = [
  column,
  v.pipe(v.strictObject({ column, is: v.array(v.string()) }), v.description('where the column holds one of these')),
  v.pipe(v.strictObject({ not: v.array(column) }), v.description('where none of these columns is true')),
  v.pipe(v.strictObject({ set: column }), v.description('where the column is not null')),
] as const;
const noFlag = 'expected true or false; a column; {"column": "…", "is": ["…"]}; {"not": ["…"]}; or {"set": "…"}.';
const flag = v.pipe(
  v.union([v.boolean(), ...conditions], noFlag),
  v.description('the same for all; a column of true and false; or a condition'),
);
const time = v.pipe(column, v.description('a column of timestamp with time zone'));

/** A row for each column of ours: what a mapping may say of it. */
export const columnForms = {
  username: column,
  mobile_number: text,
  email: text,
  is_email_verified: flag,
  avatar: text,
  first_name: text,
  last_name: text,
  gender,
  invited_by_id: text,
  invite_code: text,
  is_active: flag,
  is_staff: flag,
  is_admin: flag,
  is_customer: flag,
  is_profile_completed: flag,
  last_login: text,
  created_at: time,
  updated_at: time,
};

const lifetime = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.description('seconds from its creation until a token ends'),
);
const tokens = v.array(v.union([name, v.strictObject({ table: name, lifetime_seconds: lifetime })]));

/** Which of the application's tables and columns hold what the API shows. What is left out is looked for where Django has it. */
export const mappingSchema = v.strictObject({
  $schema: v.optional(v.string()),
  users: v.pipe(name, v.description("the users' table, with its schema if need be: app.accounts_user")),
  joins: v.optional(
    v.pipe(
      v.record(v.string(), name),
      v.description('tables of at most one row a user, by the names that columns use'),
    ),
  ),
  columns: v.optional(v.partial(v.strictObject(columnForms)), {}),
  hidden: v.optional(v.pipe(v.union(conditions, noFlag), v.description('who counts as deleted'))),
  last_seen: v.optional(v.pipe(v.nullable(column), v.description('when the user was seen last; null: nobody says so'))),
  groups: v.optional(v.pipe(v.nullable(name), v.description('the table of who is in which group'))),
  permission: v.optional(
    v.pipe(v.nullable(name), v.description('by which staff may list users: accounts.view_user; null: admins alone')),
  ),
  tokens: v.optional(v.pipe(tokens, v.description('of rest_framework.authtoken and django-rest-knox'))),
  token_hash: v.optional(
    v.pipe(v.picklist(['sha256', 'sha512', 'sha512-hex']), v.description("the function's TOKEN_HASH")),
  ),
});

export type Mapping = v.InferOutput<typeof mappingSchema>;
export type Flag = v.InferOutput<typeof flag>;

/** Reads a mapping. Throws an OperatorError with a line for each fault, which names its place: `columns.gender.values.M`. */
export function readMapping(json: string): Mapping {
  const result = v.safeParse(mappingSchema, parse(json));
  if (result.success) return result.output;
  const lines = result.issues.map((issue) => `  ${v.getDotPath(issue) ?? 'the mapping'}: ${toSentence(issue)}`);
  throw new OperatorError(['The mapping is not well formed:', ...new Set(lines)].join('\n'));
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new OperatorError(`The mapping is no JSON: ${(error as Error).message}`);
  }
}

function toSentence({ type, expected, received, message }: v.BaseIssue<unknown>): string {
  if (type === 'strict_object' && expected === 'never') return 'is not known here.';
  if (type === 'strict_object' && received === 'undefined') return 'is missing.';
  // A sentence of ours, where the library's would not say it.
  return message.startsWith('Invalid') ? `expected ${expected}, not ${received}.` : message;
}

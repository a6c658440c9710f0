import * as v from 'valibot';

const integer = v.pipe(v.number(), v.integer());
const timestamp = v.pipe(v.string(), v.isoTimestamp());

function field<Schema extends v.GenericSchema>(schema: Schema, sentence: string) {
  return v.pipe(schema, v.description(sentence));
}

export const inviterSchema = v.strictObject({ id: integer, username: v.string(), full_name: v.nullable(v.string()) });

export const groupSchema = v.strictObject({ id: integer, name: v.string() });

/**
 * A user as clients see one, in this order. `json.ts` makes it; the OpenAPI document is made from it. Strict, so that a field that nobody has
 * documented does not pass the test of the document.
 */
export const userSchema = v.strictObject({
  id: field(integer, 'Unique.'),
  username: field(v.string(), 'Unique.'),
  mobile_number: field(v.nullable(v.string()), 'Unique among those who have one.'),
  email: field(v.nullable(v.string()), 'Unique among those who have one.'),
  is_email_verified: field(v.boolean(), 'Whether the e-mail address has been verified.'),
  avatar: field(v.nullable(v.pipe(v.string(), v.url())), 'URL of the avatar image.'),
  first_name: field(v.nullable(v.string()), 'First name.'),
  last_name: field(v.nullable(v.string()), 'Last name.'),
  full_name: field(v.nullable(v.string()), 'First and last name; null when both are blank.'),
  gender: field(v.nullable(v.picklist(['male', 'female', 'other'])), 'Gender.'),
  invited_by: field(v.nullable(inviterSchema), 'Who has invited the user; null when nobody has.'),
  invite_code: field(v.nullable(v.string()), 'The code by which the user invites others.'),
  invitees_count: field(integer, 'How many the user has invited, customers included.'),
  is_active: field(v.boolean(), 'Whether the account may log in.'),
  is_staff: field(v.boolean(), 'Whether the user has staff privileges.'),
  is_admin: field(v.boolean(), 'Whether the user has admin privileges.'),
  is_online: field(v.boolean(), 'Whether the user was seen within the last minutes.'),
  is_profile_completed: field(v.boolean(), 'Whether the profile is complete.'),
  last_login: field(
    v.nullable(timestamp),
    'The last login, in UTC; null when there was none. Microseconds, or no fraction when they are zero.',
  ),
  created_at: field(timestamp, 'When the user was created, in UTC. Microseconds, or no fraction when they are zero.'),
  updated_at: field(
    timestamp,
    'When the user was last updated, in UTC. Microseconds, or no fraction when they are zero.',
  ),
  groups_data: field(v.array(groupSchema), "The user's groups, ordered by id."),
});

export type User = v.InferOutput<typeof userSchema>;

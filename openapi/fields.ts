import type { User } from '../lib/users/json.ts';

/** What each field of a user says, in the words of the original's documentation. */
export const userFields = {
  id: 'Unique.',
  username: 'Unique.',
  mobile_number: 'Unique among those who have one.',
  email: 'Unique among those who have one.',
  is_email_verified: 'Whether the e-mail address has been verified.',
  avatar: 'URL of the avatar image.',
  first_name: 'First name.',
  last_name: 'Last name.',
  full_name: 'First and last name; null when both are blank.',
  gender: 'Gender.',
  invited_by: 'Who has invited the user.',
  invite_code: 'The code by which the user invites others.',
  invitees_count: 'How many the user has invited, customers included.',
  is_active: 'Whether the account may log in.',
  is_staff: 'Whether the user has staff privileges.',
  is_admin: 'Whether the user has admin privileges.',
  is_online: 'Whether the user was seen within the last minutes.',
  is_profile_completed: 'Whether the profile is complete.',
  last_login: 'The last login, in UTC; null when there was none. Microseconds, or no fraction when they are zero.',
  created_at: 'When the user was created, in UTC. Microseconds, or no fraction when they are zero.',
  updated_at: 'When the user was last updated, in UTC. Microseconds, or no fraction when they are zero.',
  groups_data: "The user's groups, ordered by id.",
} satisfies Record<keyof User, string>;

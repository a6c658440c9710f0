import type { Generated, GeneratedAlways } from 'kysely';

/** A timestamptz; written as ISO 8601 text, read as what the statement makes of it. */
type Timestamp = string;

type Gender = 'male' | 'female' | 'other';

type UsersTable = {
  id: Generated<number>;
  username: string;
  mobile_number: string | null;
  email: string | null;
  is_email_verified: Generated<boolean>;
  avatar: string | null;
  first_name: string | null;
  last_name: string | null;
  gender: Gender | null;
  invited_by_id: number | null;
  invite_code: string | null;
  is_active: Generated<boolean>;
  is_staff: Generated<boolean>;
  is_admin: Generated<boolean>;
  is_customer: Generated<boolean>;
  is_profile_completed: Generated<boolean>;
  last_login: Timestamp | null;
  created_at: Generated<Timestamp>;
  updated_at: Generated<Timestamp>;
  /** The bits of `users/list-flags.ts`; null for whoever is not listed, and so are those below. */
  list_flags: GeneratedAlways<number | null>;
  list_created_at: GeneratedAlways<Timestamp | null>;
  list_updated_at: GeneratedAlways<Timestamp | null>;
  list_last_login: GeneratedAlways<Timestamp | null>;
  list_username: GeneratedAlways<string | null>;
  list_email: GeneratedAlways<string | null>;
  search_text: GeneratedAlways<string | null>;
};

/** The tables as Kysely sees them. */
export type Database = {
  users: UsersTable;
  user_presence: { user_id: number; last_seen_at: Timestamp };
  groups: { id: Generated<number>; name: string };
  user_groups: { user_id: number; group_id: number };
  permissions: { code: number; name: string };
  group_permissions: { group_id: number; permission_code: number };
  user_permissions: { user_id: number; permission_code: number };
  auth_tokens: {
    token_hash: Buffer;
    user_id: number;
    created_at: Generated<Timestamp>;
    expires_at: Timestamp | null;
    name: string | null;
    issuer: Generated<string>;
  };
};

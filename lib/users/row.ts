import type { Selectable } from 'kysely';
import type { Database } from '../database/tables.ts';

type Users = Selectable<Database['users']>;

type ShownColumn =
  | 'id'
  | 'username'
  | 'mobile_number'
  | 'email'
  | 'is_email_verified'
  | 'avatar'
  | 'first_name'
  | 'last_name'
  | 'gender'
  | 'invite_code'
  | 'is_active'
  | 'is_staff'
  | 'is_admin'
  | 'is_profile_completed'
  | 'last_login'
  | 'created_at'
  | 'updated_at';

/** What the list shows of a user. Timestamps are exact, as `2026-02-21T07:20:25.338627Z`, `0044-03-15T00:00:00.000000Z BC` or `infinity`. */
export type UserRow = Pick<Users, ShownColumn> & {
  is_online: boolean;
  invitees_count: number;
  inviter_id: number | null;
  inviter_username: string | null;
  inviter_first_name: string | null;
  inviter_last_name: string | null;
  /** In order. */
  group_ids: number[];
};

/** By id, of all groups of a page's users. */
export type GroupNames = Record<number, string>;

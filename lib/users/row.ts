import type { Selectable } from 'kysely';
import type { Database } from '../database/tables.ts';

type Users = Selectable<Database['users']>;

/** The columns that are shown as they are. */
export const shownColumns = [
  'users.id',
  'users.username',
  'users.mobile_number',
  'users.email',
  'users.is_email_verified',
  'users.avatar',
  'users.first_name',
  'users.last_name',
  'users.gender',
  'users.invite_code',
  'users.is_active',
  'users.is_staff',
  'users.is_admin',
  'users.is_profile_completed',
] as const;

type ShownColumn = (typeof shownColumns)[number] extends `users.${infer Column extends keyof Users}` ? Column : never;

/** What the list shows of a user. Timestamps are exact, as `2026-02-21T07:20:25.338627Z`, `0044-03-15T00:00:00.000000Z BC` or `infinity`. */
export type UserRow = Pick<Users, ShownColumn | 'last_login' | 'created_at' | 'updated_at'> & {
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

import type { filters } from '../lib/users/filters.ts';
import { listed, type Name } from './setup/people.ts';

/** A value, whom it lists. Each filter has one that includes and one that excludes. */
type Case = [value: string, lists: Name[]];

export const cases = {
  id_min: [
    ['5', ['gus', 'fay', 'eve']],
    ['-3', listed],
    ['9007199254740991', []],
  ],
  id_max: [
    ['2', ['bob', 'ann']],
    ['-9007199254740991', []],
  ],
  id_in: [
    ['2', ['bob']],
    ['7, 1,7', ['gus', 'ann']],
    ['8,-1,999', []],
  ],
  created_date: [
    ['2026-01-01', ['bob', 'ann']],
    ['2026-01-02', ['dan', 'cat']],
    ['2025-12-31', []],
  ],
  created_from: [
    ['2026-01-03', ['gus', 'fay', 'eve']],
    ['0001-01-01', listed],
  ],
  created_to: [
    ['2026-01-01', ['bob', 'ann']],
    ['9999-12-31', listed],
  ],
  updated_date: [
    ['2026-03-02', ['cat', 'bob']],
    ['2026-03-03', ['eve', 'dan']],
  ],
  updated_from: [
    ['2026-03-03', ['gus', 'fay', 'eve', 'dan']],
    ['2026-03-06', []],
  ],
  updated_to: [
    ['2026-03-02', ['cat', 'bob', 'ann']],
    ['2026-02-28', []],
  ],
  last_login_date: [
    ['2026-02-21', ['cat', 'ann']],
    ['2026-02-20', ['bob']],
  ],
  last_login_from: [
    ['2026-02-22', ['fay', 'eve']],
    ['2026-02-23', []],
  ],
  last_login_to: [
    ['2026-02-20', ['bob']],
    ['2026-02-19', []],
  ],
  has_email: [
    ['true', ['gus', 'eve', 'cat', 'ann']],
    ['false', ['fay', 'dan', 'bob']],
  ],
  has_avatar: [
    ['1', ['cat', 'ann']],
    ['0', ['gus', 'fay', 'eve', 'dan', 'bob']],
  ],
  has_phone: [
    ['TRUE', ['dan', 'cat', 'ann']],
    ['False', ['gus', 'fay', 'eve', 'bob']],
  ],
  has_first_name: [
    ['true', ['gus', 'fay', 'dan', 'cat', 'ann']],
    ['false', ['eve', 'bob']],
  ],
  has_last_name: [
    ['true', ['gus', 'fay', 'eve', 'cat', 'ann']],
    ['false', ['dan', 'bob']],
  ],
  has_token: [
    ['true', ['gus', 'eve', 'dan', 'cat', 'bob', 'ann']],
    ['false', ['fay']],
  ],
  is_active: [
    ['true', ['gus', 'fay', 'eve', 'dan', 'cat', 'ann']],
    ['false', ['bob']],
  ],
  is_staff: [
    ['true', ['gus', 'fay', 'eve', 'dan', 'cat', 'bob']],
    ['false', ['ann']],
  ],
  is_admin: [
    ['true', ['fay', 'ann']],
    ['false', ['gus', 'eve', 'dan', 'cat', 'bob']],
  ],
  is_customer: [
    ['true', ['cat']],
    ['false', ['gus', 'fay', 'eve', 'dan', 'bob', 'ann']],
  ],
  is_profile_completed: [
    ['true', ['cat', 'ann']],
    ['false', ['gus', 'fay', 'eve', 'dan', 'bob']],
  ],
  is_online: [
    ['true', ['cat']],
    ['false', ['gus', 'fay', 'eve', 'dan', 'bob', 'ann']],
  ],
  gender: [
    ['male', ['gus', 'dan']],
    ['Female', ['eve', 'ann']],
    ['OTHER', ['cat']],
  ],
  groups_in: [
    ['1', ['eve', 'cat']],
    ['1, 2', ['eve', 'dan', 'cat', 'ann']],
    ['3', []],
    ['-1,999', []],
    ['4', []],
  ],
  group_id: [
    ['2', ['dan', 'cat', 'ann']],
    ['3', []],
    ['4', []],
  ],
} satisfies Record<keyof typeof filters, Case[]>;

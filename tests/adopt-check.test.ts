import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OperatorError } from '../manage/operator-error.ts';
import { type Adopted, adopt, mappings, openAdopted, requireRightOrClosed, requireSame } from './setup/adopted.ts';
import { crowd } from './setup/crowd.ts';
import { lacking } from './setup/django.ts';
import { send } from './setup/request.ts';

beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

describe('adopt --check', () => {
  let adopted: Adopted;

  beforeAll(async () => {
    if (!lacking) adopted = await openAdopted('accounts', crowd(60));
  });
  beforeEach(async () => {
    if (!lacking) await adopt(adopted, mappings.accounts);
  });

  const plant = (statement: string) => sql.raw(statement).execute(adopted.db);
  const check = () => adopted.operate('adopt', '--check');
  const queries = ['limit=1000', 'has_token=true'];

  /** What it says is wrong. */
  async function readFaults(): Promise<string> {
    const error = await check().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OperatorError);
    return (error as Error).message;
  }

  test('finds nothing where nothing is', async () => {
    expect((await check()).output).toContain('users: 60 rows, as in accounts_user');
  });

  const one = 'ctid = (select min(ctid) from';
  test.each([
    ["update users_api.users set first_name = 'planted' where id = 1", /\busers\b/],
    ['update users_api.users set is_active = not is_active where id = 2', /\busers\b/],
    ['update users_api.users set invited_by_id = 1 where not (is_staff or is_admin)', /\busers\b/],
    ['delete from users_api.users where id = 1', /\busers\b/],
    ["insert into users_api.users (id, username, is_staff) values (1000, 'planted', true)", /\busers\b/],
    ["update users_api.groups set name = 'planted' where id = 1", /\bgroups\b/],
    ['delete from users_api.groups where id = 4', /\bgroups\b/],
    ["insert into users_api.groups values (1000, 'planted')", /\bgroups\b/],
    [`delete from users_api.user_groups where ${one} users_api.user_groups)`, /\buser_groups\b/],
    ['insert into users_api.user_groups values (1, 1000)', /\buser_groups\b/],
    [`delete from users_api.auth_tokens where ${one} users_api.auth_tokens where user_id > 1)`, /\bauth_tokens\b/],
    [
      `update users_api.auth_tokens set user_id = 2 where ${one} users_api.auth_tokens where user_id > 2)`,
      /\bauth_tokens\b/,
    ],
    ["insert into users_api.auth_tokens (token_hash, user_id) values (sha256('planted'), 1)", /\bauth_tokens\b/],
    ['insert into users_api.user_permissions values (2, 1222)', /\buser_permissions\b/],
    [`delete from users_api.user_permissions where ${one} users_api.user_permissions)`, /\buser_permissions\b/],
    ['delete from users_api.group_permissions', /\bgroup_permissions\b/],
    ['insert into users_api.group_permissions values (1, 1222)', /\bgroup_permissions\b/],
    ["update users_api.user_presence set last_seen_at = '2021-01-01'", /\buser_presence\b/],
  ])('finds what does not agree: %s', async (statement, expected) => {
    await plant(statement);
    expect(await readFaults()).toMatch(expected);
    await adopted.operate('adopt');
    await check();
    await requireSame(adopted, queries);
  });

  test.each([
    ['alter table accounts_user disable trigger users_api_update', /accounts_user/],
    ['alter table accounts_user disable trigger user', /accounts_user/],
    ['alter table accounts_user enable trigger users_api_update', /accounts_user/],
    ['drop trigger users_api_delete on authtoken_token', /authtoken_token/],
    ['alter table auth_group_permissions disable trigger user', /auth_group_permissions/],
  ])('finds, as does a request, a trigger that does not fire: %s', async (statement, expected) => {
    await plant(statement);
    expect(await readFaults()).toMatch(expected);
    expect(await requireRightOrClosed(adopted, queries)).toBe(true);
    await adopted.operate('adopt');
    await check();
    await requireSame(adopted, queries);
  });

  test('a mapping that says less takes away what the one before has written', async () => {
    const less = { ...mappings.accounts, last_seen: null, groups: null, permission: null };
    await adopt(adopted, less);
    await check();
    const { handler, key } = adopted;
    for (const query of ['is_online=true', 'groups_in=1,2,3,4']) {
      expect((await send(handler, { query, key })).json().count).toBe(0);
    }
    // Of staff with the permission: admins alone may.
    const statuses = await adopted.django.run<number[]>('[listing.status_for(f"key-{pk}") for pk in (1, 16)]');
    expect(statuses).toEqual([200, 200]);
    expect((await send(handler, { key: 'key-16' })).status).toBe(403);
    await adopt(adopted, mappings.accounts);
    await requireSame(adopted, queries);
  });
});

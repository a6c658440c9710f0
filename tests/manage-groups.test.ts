import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OperatorError } from '../manage/operator-error.ts';
import { openOperated } from './setup/operated.ts';
import { people } from './setup/people.ts';

const { database, manage, statusOf, shownOf } = await openOperated();

const longAgo = '2020-01-01T00:00:00Z';

let count = 0;

/** Staff of the test's own, last updated long ago. */
async function createStaff(): Promise<{ id: number; name: string }> {
  count += 1;
  const name = `staff ${count}`;
  await manage('create-user', name, '--staff');
  const { id } = await database.db
    .updateTable('users')
    .set({ updated_at: longAgo })
    .where('username', '=', name)
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id: Number(id), name };
}

/** A group of the test's own. */
async function createGroup(): Promise<{ id: number; name: string }> {
  count += 1;
  const name = `گروه "${count}"`;
  const [printed = ''] = await manage('create-group', name);
  const [, id] = new RegExp(`^created group ${name}, id (\\d+)$`).exec(printed) ?? [];
  return { id: Number(id), name };
}

/** All that these commands may write, as text. */
async function contents(): Promise<string | undefined> {
  const { rows } = await sql<{ text: string }>`
    select string_agg(line, '\n' order by line) as text from (
      select 'users ' || t::text from users t union all select 'groups ' || t::text from groups t
      union all select 'user_groups ' || t::text from user_groups t
      union all select 'user_permissions ' || t::text from user_permissions t
      union all select 'group_permissions ' || t::text from group_permissions t) lines (line)`.execute(database.db);
  return rows[0]?.text;
}

describe('add-to-group', () => {
  test('is shown of the user, with a new time, and so is remove-from-group', async () => {
    const user = await createStaff();
    const group = await createGroup();
    const other = await createGroup();
    const before = await shownOf(user.id);
    const updated_at = expect.not.stringContaining(longAgo);

    const added = [`added ${user.name} to the group "${group.name}"`];
    expect(await manage('add-to-group', user.name, group.name)).toEqual(added);
    expect(await shownOf(user.id)).toEqual({ ...before, groups_data: [group], updated_at });

    await manage('add-to-group', user.name, other.name);
    expect((await shownOf(user.id))?.groups_data).toEqual([group, other]);

    const removed = [`removed ${user.name} from the group "${group.name}"`];
    await database.db.updateTable('users').set({ updated_at: longAgo }).where('id', '=', user.id).execute();
    expect(await manage('remove-from-group', user.name, group.name)).toEqual(removed);
    expect(await shownOf(user.id)).toEqual({ ...before, groups_data: [other], updated_at });
  });

  test('writes nothing where the user is there already, or is not', async () => {
    const user = await createStaff();
    const group = await createGroup();
    await manage('add-to-group', user.name, group.name);
    const inside = await contents();
    const isThere = [`${user.name} is in the group "${group.name}" already: nothing written`];
    expect(await manage('add-to-group', user.name, group.name)).toEqual(isThere);
    expect(await contents()).toBe(inside);
    await manage('remove-from-group', user.name, group.name);
    const outside = await contents();
    const isNotThere = [`${user.name} is not in the group "${group.name}": nothing written`];
    expect(await manage('remove-from-group', user.name, group.name)).toEqual(isNotThere);
    expect(await contents()).toBe(outside);
  });

  test('touches the others of the group no more than other groups', async () => {
    const group = await createGroup();
    const [stays, leaves] = [await createStaff(), await createStaff()];
    await manage('add-to-group', stays.name, group.name);
    await manage('add-to-group', leaves.name, 'Support');
    const others = async () => [await shownOf(stays.id), await shownOf(people.eve.id)];
    const before = await others();
    await manage('add-to-group', leaves.name, group.name);
    await manage('remove-from-group', leaves.name, group.name);
    expect(await others()).toEqual(before);
    expect((await shownOf(leaves.id))?.groups_data).toEqual([{ id: 1, name: 'Support' }]);
  });
});

describe('grant and revoke', () => {
  test('open the list to a user from the next request on, and shut it', async () => {
    const { id, name } = await createStaff();
    const [key = ''] = await manage('issue-token', name);
    expect(await statusOf(key)).toBe(403);
    expect(await manage('grant', name, '1222')).toEqual([`granted 1222 to ${name}`]);
    expect(await manage('grant', name, '1222')).toEqual([`${name} has 1222 already: nothing written`]);
    expect(await statusOf(key)).toBe(200);
    expect(await manage('revoke', name, '1222')).toEqual([`revoked 1222 from ${name}`]);
    expect(await manage('revoke', name, '1222')).toEqual([`${name} was not granted 1222: nothing written`]);
    expect(await statusOf(key)).toBe(403);
    // What a user may do is not shown of it.
    expect((await shownOf(id))?.updated_at).toBe(longAgo);
  });

  test('do so for a group, and revoke says through which groups a user has it still', async () => {
    const { name } = await createStaff();
    const [first, , third] = [await createGroup(), await createGroup(), await createGroup()] as const;
    for (const group of [third, first]) await manage('add-to-group', name, group.name);
    const [key = ''] = await manage('issue-token', name);
    expect(await manage('grant', '--group', third.name, '1222')).toEqual([`granted 1222 to the group "${third.name}"`]);
    await manage('grant', '--group', first.name, '1222');
    await manage('grant', name, '1222');
    expect(await manage('revoke', name, '1222')).toEqual([
      `revoked 1222 from ${name}`,
      `${name} still has 1222 through the group "${first.name}"`,
      `${name} still has 1222 through the group "${third.name}"`,
    ]);
    expect(await statusOf(key)).toBe(200);
    for (const group of [first, third]) {
      const printed = [`revoked 1222 from the group "${group.name}"`];
      expect(await manage('revoke', '1222', '--group', group.name)).toEqual(printed);
    }
    expect(await statusOf(key)).toBe(403);
  });

  test('take no other permission', async () => {
    await database.db.insertInto('permissions').values({ code: 7, name: 'Another' }).execute();
    onTestFinished(async () => void (await database.db.deleteFrom('permissions').where('code', '=', 7).execute()));
    const { name } = await createStaff();
    const group = await createGroup();
    await manage('add-to-group', name, group.name);
    for (const holder of [[name], ['--group', group.name]]) await manage('grant', ...holder, '7');
    const before = await contents();
    await manage('grant', name, '1222');
    expect(await manage('revoke', name, '1222')).toEqual([`revoked 1222 from ${name}`]);
    expect(await contents()).toBe(before);
    expect(await manage('revoke', name, '1222')).toEqual([`${name} was not granted 1222: nothing written`]);
    expect(await contents()).toBe(before);
  });

  test('take from nobody else', async () => {
    const { name } = await createStaff();
    const group = await createGroup();
    const before = await contents();
    for (const holder of [[name], ['--group', group.name]]) {
      await manage('grant', ...holder, '1222');
      await manage('revoke', ...holder, '1222');
    }
    expect(await contents()).toBe(before);
  });
});

test('a group that does not exist is told those that do, the first twenty', async () => {
  for (let made = 0; made < 18; made += 1) await createGroup();
  const groups = await database.db.selectFrom('groups').select('name').orderBy('id').limit(20).execute();
  const names = groups.map(({ name }) => `"${name}"`).join(', ');
  await expect(manage('add-to-group', 'ann', 'support')).rejects.toEqual(
    new OperatorError(`There is no group "support"; there are ${names}, ….`),
  );
});

describe("an operator's mistake", () => {
  const holder = 'Expected a username, or --group <name>, and one permission code.';
  const membership = (words: number) => `Expected a username and the name of a group; got ${words} words.`;
  const unknown = /^There is no group "support"; there are "Support", "Managers, "all"", "Nobody", "Customers"/;
  const name =
    'The name of a group is a text without control and other invisible characters, and without white space around it.';

  test.each<[args: string[], message: string | RegExp]>([
    [['create-group'], name],
    [['create-group', ''], name],
    [['create-group', ' Staff'], name],
    [['create-group', 'St\taff'], name],
    [['create-group', 'Night', 'shift'], 'Expected the name of one group; got 2 words.'],
    [['create-group', 'Support'], 'There is a group "Support" already.'],
    [['add-to-group', 'ann'], membership(1)],
    [['add-to-group', 'ann', 'Night', 'shift'], membership(3)],
    [['add-to-group', 'nobody', 'Support'], 'There is no user "nobody".'],
    [['add-to-group', 'ann', 'support'], unknown],
    [['add-to-group', 'ann', 'Support', '--force'], /'--force'.*\nUsage: add-to-group/s],
    [['remove-from-group'], membership(0)],
    [['remove-from-group', 'ann', 'support'], unknown],
    [['remove-from-group', 'nobody', 'Support'], 'There is no user "nobody".'],
    [['grant', 'ann'], holder],
    [['grant'], holder],
    [['grant', 'ann', '1222', '1223'], holder],
    [['grant', '--group', 'Support'], holder],
    [['grant', '--group', 'Support', 'ann', '1222'], holder],
    [['grant', 'ann', '--group', '1222'], 'A permission code must be a whole number, not "ann".'],
    [['grant', 'ann', 'all'], 'A permission code must be a whole number, not "all".'],
    [['grant', 'ann', '9'], 'There is no permission 9; there are 1222.'],
    [['grant', 'nobody', '1222'], 'There is no user "nobody".'],
    [['grant', '--group', 'support', '1222'], unknown],
    [['revoke', 'cat'], holder],
    [['revoke', 'cat', '9'], 'There is no permission 9; there are 1222.'],
    [['revoke', 'nobody', '1222'], 'There is no user "nobody".'],
    [['revoke', '--group', 'support', '1222'], unknown],
  ])('%j is told, and writes nothing', async (args, message) => {
    const before = await contents();
    const error = await manage(...args).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OperatorError);
    if (typeof message === 'string') expect((error as Error).message).toBe(message);
    else expect((error as Error).message).toMatch(message);
    expect(await contents()).toBe(before);
  });
});

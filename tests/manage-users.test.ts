import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { User } from '../lib/users/user.ts';
import { OperatorError } from '../manage/operator-error.ts';
import { openOperated } from './setup/operated.ts';
import { people } from './setup/people.ts';

const { database, manage, statusOf, shownOf } = await openOperated();

const refusalOf = async (...args: string[]): Promise<unknown> => manage(...args).catch((error: unknown) => error);

const longAgo = '2020-01-01T00:00:00Z';

let count = 0;

/** A user of the test's own, last updated long ago. */
async function create(...options: string[]): Promise<{ id: number; name: string }> {
  count += 1;
  const name = `new user ${count}`;
  const [printed = ''] = await manage('create-user', name, ...options);
  const id = Number(/id (\d+)$/.exec(printed)?.[1]);
  await database.db.updateTable('users').set({ updated_at: longAgo }).where('id', '=', id).execute();
  return { id, name };
}

const rowOf = (id: number) => database.db.selectFrom('users').where('id', '=', id).selectAll().executeTakeFirst();

/** Each option with a value, and what the endpoint then shows. */
const fields: [option: string, value: string, shown: Partial<User>][] = [
  ['email', 'Zoë@example.com', { email: 'Zoë@example.com' }],
  ['mobile-number', '+98 (915) 020-7211', { mobile_number: '+98 (915) 020-7211' }],
  ['first-name', "Zoë d'Arc", { first_name: "Zoë d'Arc", full_name: "Zoë d'Arc" }],
  ['last-name', 'null', { last_name: 'null', full_name: 'null' }],
  ['gender', 'other', { gender: 'other' }],
  ['avatar', 'avatars/2 ü.png', { avatar: 'https://media.example.com/avatars/2%20%C3%BC.png' }],
  ['invite-code', 'ZOE7', { invite_code: 'ZOE7' }],
  ['invited-by', 'cy', { invited_by: { id: people.cy.id, username: 'cy', full_name: 'Cy Customer' } }],
];

const flags: [option: string, shown: keyof User][] = [
  ['email-verified', 'is_email_verified'],
  ['active', 'is_active'],
  ['admin', 'is_admin'],
  ['profile-completed', 'is_profile_completed'],
];

describe('create-user', () => {
  test.each(fields)('--%s %s is shown', async (option, value, shown) => {
    const { id } = await create('--staff', `--${option}`, value);
    onTestFinished(async () => void (await database.db.deleteFrom('users').where('id', '=', id).execute()));
    expect(await shownOf(id)).toMatchObject({ is_staff: true, ...shown });
  });

  test('takes every flag, and --no- in place of its own', async () => {
    const { id } = await create('--staff', '--customer', '--email-verified', '--profile-completed', '--no-active');
    expect(await rowOf(id)).toMatchObject({
      is_staff: true,
      is_admin: false,
      is_customer: true,
      is_email_verified: true,
      is_profile_completed: true,
      is_active: false,
    });
    expect(await rowOf((await create('--no-customer')).id)).toMatchObject({ is_customer: false, is_active: true });
  });
});

describe('update-user', () => {
  test.each(fields)('--%s %s is shown, and none with --no-', async (option, value, shown) => {
    const { id, name } = await create('--staff');
    const before = await shownOf(id);
    const [column] = Object.keys(shown) as [keyof User];
    const written = column === 'invited_by' ? 'invited_by_id' : column;
    const printed = [`updated ${name}, id ${id}: ${written}`];
    expect(await manage('update-user', name, `--${option}`, value)).toEqual(printed);
    const updated_at = expect.not.stringContaining(longAgo);
    expect(await shownOf(id)).toEqual({ ...before, ...shown, updated_at });
    expect(await manage('update-user', name, `--no-${option}`)).toEqual(printed);
    expect(await shownOf(id)).toEqual({ ...before, updated_at });
  });

  test.each(flags)('--%s sets %s, and --no- takes it away', async (option, column) => {
    const { id, name } = await create('--staff');
    for (const [prefix, value] of [
      ['no-', false],
      ['', true],
      ['no-', false],
    ] as const) {
      await manage('update-user', name, `--${prefix}${option}`);
      expect(await shownOf(id)).toMatchObject({ [column]: value, is_staff: true });
    }
  });

  test('a customer is listed as soon as it is staff, and no longer when it is none', async () => {
    const { id, name } = await create();
    expect(await shownOf(id)).toBeUndefined();
    await manage('update-user', name, '--staff', '--no-customer');
    expect(await shownOf(id)).toMatchObject({ is_staff: true });
    expect(await rowOf(id)).toMatchObject({ is_customer: false });
    await manage('update-user', name, '--no-staff', '--customer');
    expect(await shownOf(id)).toBeUndefined();
    expect(await rowOf(id)).toMatchObject({ is_customer: true });
  });

  test('changes several at once, the name too, and the keys go on', async () => {
    const { id, name } = await create('--admin');
    const [key = ''] = await manage('issue-token', name);
    const next = `${name} renamed`;
    expect(
      await manage('update-user', name, '--username', next, '--gender', 'female', '--no-profile-completed'),
    ).toEqual([`updated ${name}, id ${id}: gender, is_profile_completed, username`]);
    expect(await shownOf(id)).toMatchObject({ username: next, gender: 'female' });
    expect(await statusOf(key)).toBe(200);
    await manage('update-user', next, '--no-active');
    expect(await statusOf(key)).toBe(401);
  });

  test('touches nobody else', async () => {
    const { name } = await create('--staff');
    const others = () =>
      database.db.selectFrom('users').where('username', '<>', name).selectAll().orderBy('id').execute();
    const before = await others();
    await manage('update-user', name, '--first-name', 'Zed', '--no-active', '--no-email');
    expect(await others()).toEqual(before);
  });

  test('writes nothing, and no new time, where all is so already', async () => {
    const { id, name } = await create('--staff', '--email', 'Same@example.com', '--invited-by', 'ann');
    const before = await rowOf(id);
    const so = [`${name}, id ${id}, is so already: nothing written`];
    const same = ['--email', 'Same@example.com', '--invited-by', 'ann', '--staff', '--no-avatar', '--username', name];
    expect(await manage('update-user', name, ...same)).toEqual(so);
    expect(await rowOf(id)).toEqual(before);
    await manage('update-user', name, ...same, '--admin');
    expect((await shownOf(id))?.updated_at).not.toBe(longAgo);
  });

  test("takes another letter case of the user's own address", async () => {
    const { id, name } = await create('--staff', '--email', 'case@example.com');
    await manage('update-user', name, '--email', 'CASE@example.com');
    expect(await shownOf(id)).toMatchObject({ email: 'CASE@example.com' });
  });
});

test('what is as long as may be, and what Persian is written with, are written', async () => {
  await manage('create-user', '𝒳'.repeat(255), '--first-name', 'می\u200cخواهم', '--email', `${'😀'.repeat(249)}@a.org`);
  const user = await database.db
    .selectFrom('users')
    .select(['first_name', 'email'])
    .orderBy('id', 'desc')
    .executeTakeFirst();
  expect(user).toEqual({ first_name: 'می\u200cخواهم', email: `${'😀'.repeat(249)}@a.org` });
  await manage('update-user', '𝒳'.repeat(255), '--staff', '--avatar', 'ä'.repeat(2000));
});

describe('bad values', () => {
  const text = (option: string) =>
    `${option} is a text without control and other invisible characters, and without white space around it.`;
  const address = '--email must be an address such as ann@example.com.';
  const number = '--mobile-number must be a number such as 09150207211 or +98 915 020 7211.';
  const avatar = '--avatar must be a path such as avatars/2.png, or a URL that begins with https://.';

  describe.each([
    ['create-user', 'another'],
    ['update-user', 'eve'],
  ])('%s %s', (command, name) => {
    test.each<[args: string[], message: string]>([
      [['--email', 'eve'], address],
      [['--email', ' eve@example.org'], address],
      [['--email', ''], '--email needs a value; for none, say --no-email.'],
      [['--first-name='], '--first-name needs a value; for none, say --no-first-name.'],
      [['--email', 'x@example.org', '--no-email'], 'Give --email or --no-email, not both.'],
      [['--active', '--no-active'], 'Give --active or --no-active, not both.'],
      [['--mobile-number', 'home'], number],
      [['--mobile-number', '0915\t1'], number],
      [['--mobile-number', '0915 '], number],
      [['--mobile-number', '+'], number],
      [['--first-name', 'Eve '], text('--first-name')],
      [['--last-name', 'O\nNeil'], text('--last-name')],
      [['--invite-code', ' '], text('--invite-code')],
      ...['\u200b', '\u2028', '\u2029', '\u202e', '\u2060', '\u2067', '\ufeff'].map((unseen): [string[], string] => [
        ['--first-name', `E${unseen}ve`],
        text('--first-name'),
      ]),
      [['--email', 'e\u202eve@example.org'], text('--email')],
      [['--last-name', '𝒳'.repeat(256)], '--last-name has 255 characters at most, not 256.'],
      [['--email', `${'e'.repeat(12_000)}@example.org`], '--email has 255 characters at most, not 12012.'],
      [['--mobile-number', '0'.repeat(256)], '--mobile-number has 255 characters at most, not 256.'],
      [['--avatar', 'a'.repeat(2001)], '--avatar has 2000 characters at most, not 2001.'],
      [['--gender', 'Female'], '--gender must be male, female or other, not "Female".'],
      [['--avatar', 'avatars/\u0000'], text('--avatar')],
      [['--avatar', 'ftp://cdn.example.com/1.png'], avatar],
      [['--avatar', 'javascript:alert(1)'], avatar],
      [['--avatar', 'https://'], avatar],
      [['--email', 'ANN@example.com'], 'The user "ann" has that email already.'],
      [['--mobile-number', '09150000008'], 'The user "cy" has that mobile number already.'],
      [['--invite-code', 'ANN1'], 'The user "ann" has that invite code already.'],
      [['--invited-by', 'nobody'], 'There is no user "nobody".'],
      [['--invited-by', 'ANN'], 'There is no user "ANN".'],
    ])('%j is told, and writes nothing', async (args, message) => {
      const users = () => database.db.selectFrom('users').selectAll().orderBy('id').execute();
      const before = await users();
      expect(await refusalOf(command, name, ...args)).toEqual(new OperatorError(message));
      expect(await users()).toEqual(before);
    });
  });

  test.each<[args: string[], message: string | RegExp]>([
    [['eve'], 'Expected what is to be changed, such as --email <address>; update-user --help lists it.'],
    [['eve', '--username', 'ann'], 'The user "ann" has that username already.'],
    [['eve', '--username', ' '], text('--username')],
    [['eve', '--no-username'], /'--no-username'.*\nUsage: update-user <username> .*\nA <field> is one of --email/s],
    [['eve', '--grant', '1222'], /'--grant'.*\nUsage: update-user/s],
    [['eve', '--invited-by', 'eve'], '--invited-by must be another user.'],
    [['nobody', '--staff'], 'There is no user "nobody".'],
    [['--staff'], 'Expected one username; got 0.'],
  ])('update-user %j is told, and writes nothing', async (args, message) => {
    const before = await rowOf(people.eve.id);
    const error = await refusalOf('update-user', ...args);
    expect(error).toBeInstanceOf(OperatorError);
    if (typeof message === 'string') expect((error as Error).message).toBe(message);
    else expect((error as Error).message).toMatch(message);
    expect(await rowOf(people.eve.id)).toEqual(before);
  });
});

describe('delete-user', () => {
  /** A user with two tokens, a permission, a place in a group, a time at which it was seen, and an invitee. */
  async function createRich() {
    const user = await create('--staff', '--grant', '1222');
    const [key = ''] = await manage('issue-token', user.name);
    await manage('issue-token', user.name);
    await database.db.insertInto('user_groups').values({ user_id: user.id, group_id: 1 }).execute();
    await database.db.insertInto('user_presence').values({ user_id: user.id, last_seen_at: 'infinity' }).execute();
    const invitee = await create('--staff', '--invited-by', user.name);
    return { ...user, key, invitee };
  }

  const consequences =
    'with it go when it was last seen, its tokens (2), its own permissions (1) and its places in groups (1);' +
    ' users whom it has invited (1) stay, without an inviter';

  test('deletes a user and what is its alone, and says what', async () => {
    const { id, name, key, invitee } = await createRich();
    expect(await statusOf(key)).toBe(200);
    const others = () =>
      sql<{ count: string }>`
      select (select count(*) from users) + (select count(*) from auth_tokens) + (select count(*) from user_groups)
        + (select count(*) from user_permissions) + (select count(*) from user_presence) as count`.execute(database.db);
    const { rows: before } = await others();
    const bystander = await rowOf(people.bob.id); // whom ann has invited
    expect(await manage('delete-user', name, '--confirm', name)).toEqual([
      `deleted ${name}, id ${id}; ${consequences}`,
    ]);
    expect(await statusOf(key)).toBe(401);
    expect(await shownOf(id)).toBeUndefined();
    expect(Number((await others()).rows[0]?.count)).toBe(Number(before[0]?.count) - 6);
    const shown = await shownOf(invitee.id);
    expect(shown?.invited_by).toBeNull();
    expect(shown?.updated_at).not.toBe(longAgo);
    expect(await rowOf(people.bob.id)).toEqual(bystander);
  });

  test.each([[[]], [['--confirm', '']], [['--confirm', 'ann']], [['--confirm=yes']]])(
    'asks for the name again where %j is said, tells what would go, and writes nothing',
    async (args) => {
      const { id, name, key, invitee } = await createRich();
      expect(await refusalOf('delete-user', name, ...args)).toEqual(
        new OperatorError(
          `This deletes ${name}, id ${id}, for good; ${consequences}.\n` +
            `If that is meant, add the name again: --confirm "${name}". To shut the user out and keep it: update-user --no-active.`,
        ),
      );
      expect(await statusOf(key)).toBe(200);
      expect(await shownOf(invitee.id)).toMatchObject({ invited_by: { id }, updated_at: longAgo });
    },
  );

  test.each(['no action', 'restrict', 'no action deferrable initially deferred'])(
    'deletes nobody to whom another program refers, on delete %s',
    async (action) => {
      const { id, name, key, invitee } = await createRich();
      await sql`create table orders (user_id bigint references users on delete ${sql.raw(action)})`.execute(
        database.db,
      );
      onTestFinished(async () => void (await sql`drop table orders`.execute(database.db)));
      await sql`insert into orders values (${id})`.execute(database.db);
      expect(await refusalOf('delete-user', name, '--confirm', name)).toEqual(
        new OperatorError(`Rows of the table "orders" refer to ${name}: nothing was deleted.`),
      );
      expect(await statusOf(key)).toBe(200);
      expect(await shownOf(invitee.id)).toMatchObject({ invited_by: { id }, updated_at: longAgo });
    },
  );

  test('tells who is unknown', async () => {
    expect(await refusalOf('delete-user', 'nobody', '--confirm', 'nobody')).toEqual(
      new OperatorError('There is no user "nobody".'),
    );
  });
});

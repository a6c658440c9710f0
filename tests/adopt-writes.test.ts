import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Adopted,
  adopt,
  mappings,
  openAdopted,
  openPeopled,
  requireRightOrClosed,
  requireSame,
} from './setup/adopted.ts';
import { crowd } from './setup/crowd.ts';
import { type Django, lacking } from './setup/django.ts';
import { send } from './setup/request.ts';

/** Everybody, and what no row shows. */
const queries = [
  'limit=1000',
  'has_token=true',
  'search=zoe',
  'group_id=2',
  'groups_in=1,3',
  'is_active=false&ordering=username',
  'is_customer=true&ordering=-email',
  'gender=other&ordering=last_login',
];

/** The functions of `tests/django/writes.py` that are a write, and not what those share. */
const writes = [...readFileSync('tests/django/writes.py', 'utf8').matchAll(/^def (\w+_\w+)\(\):/gm)]
  .map(([, name]) => name as string)
  .filter((name) => name !== 'admin_client');

beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

describe('a user model of the project', () => {
  let adopted: Adopted;

  beforeAll(async () => {
    if (!lacking) adopted = await openAdopted('accounts', crowd(200));
  });
  // Open, whatever another test has done.
  beforeEach(async () => {
    if (!lacking) await adopted.operate('adopt');
  });

  async function answers(): Promise<string[]> {
    const received: string[] = [];
    for (const query of queries.slice(0, 2)) {
      received.push((await send(adopted.handler, { query: `${query}&limit=1000`, key: adopted.key })).text);
    }
    return received;
  }

  test.each(writes.map((name) => [name.replaceAll('_', ' '), name]))('%s', async (_, name) => {
    const before = await answers();
    await adopted.django.run(`import writes\nwrites.${name}()`);
    await requireSame(adopted, queries);
    if (name.startsWith('undone')) expect(await answers()).toEqual(before);
    else expect(await answers()).not.toEqual(before);
  });
});

describe('what follows a write reads the rows of those who were written alone, not the table', () => {
  const read = `
with connection.cursor() as cursor:
    cursor.execute("select pg_stat_force_next_flush()")
    cursor.execute("select (select sum(idx_tup_read) from pg_stat_user_indexes) + (select sum(seq_tup_read) from pg_stat_user_tables)")
    rows = cursor.fetchone()[0]
`;
  const writes = {
    'a sign-in': 'User.objects.filter(pk=77).update(last_login=timezone.now())',
    'a staff edit': 'User.objects.filter(is_staff=True, pk=77).update(first_name="Zoe")',
    'an edit of two': 'User.objects.filter(pk__in=[77, 78]).update(first_name="Zoe", is_staff=True)',
    'a token': 'Token.objects.create(user_id=77, key="of 77")',
    'a group': 'User.objects.get(pk=77).groups.set([1, 2])',
    'a permission': 'User.objects.get(pk=77).user_permissions.set([permission])',
    'a deletion': 'User.objects.get(pk=77).delete()',
  };

  test.each([
    ['planned when many were there', 400, ''],
    [
      // As by those who write while adopt fills the tables, until they are analyzed.
      'planned when nobody was there, by a connection that stays',
      2,
      `
User.objects.bulk_create([User(pk=pk, username=f"later-{pk}", is_staff=pk % 2 == 0) for pk in (71, 72)])
for number in range(7):
    User.objects.filter(pk=72).update(first_name=f"{number}")
    User.objects.update(last_name=f"{number}")
    Token.objects.filter(user_id=72).delete()
    Token.objects.create(user_id=72, key=f"of 72, {number}")
    User.objects.get(pk=72).groups.set([1 + number % 2])
    User.objects.get(pk=72).user_permissions.set([permission] if number % 2 else [])
    User.objects.filter(pk=71).delete()
    User.objects.create(pk=71, username="later-71")
User.objects.bulk_create([User(pk=pk, username=f"later-{pk}", is_staff=pk % 2 == 1) for pk in range(73, 2000)])
Token.objects.bulk_create([Token(user_id=pk, key=f"of {pk}") for pk in range(78, 2000)])
User.groups.through.objects.bulk_create([User.groups.through(user_id=pk, group_id=1) for pk in range(78, 2000)])
None
`,
    ],
  ])('%s', async (_, people, before) => {
    const { django } = await openAdopted('accounts', crowd(people));
    const permission = 'permission = Permission.objects.get(codename="view_user")\n';
    await django.run(permission + before);
    for (const [what, write] of Object.entries(writes)) {
      const rows = await django.run<number>(`${permission}${read}before = rows\n${write}\n${read}rows - before`);
      expect([what, rows, rows < 200]).toEqual([what, rows, true]);
    }
  });
});

describe('what Django does not expect', () => {
  /** The state of a database of its own: what it does may close the endpoint. */
  async function open(): Promise<Adopted> {
    return openAdopted('accounts', crowd(30));
  }

  test('writes without triggers, as in replication', async () => {
    const adopted = await open();
    await adopted.db.connection().execute(async (connection) => {
      await sql`set session_replication_role = replica`.execute(connection);
      await sql`update accounts_user set last_name = 'Zoe', is_active = not is_active where id > 1`.execute(connection);
      await sql`delete from authtoken_token where user_id > 13`.execute(connection);
    });
    await requireSame(adopted, queries);
  });

  test.each([
    ['a gender that the mapping does not know', 'User.objects.filter(pk=2).update(gender="X", is_staff=True)'],
    [
      'the permission under another name',
      'Permission.objects.filter(codename="view_user").update(codename="see_user")',
    ],
    ['the permission deleted', 'Permission.objects.filter(codename="view_user").delete()'],
    [
      'the permission deleted and made again',
      'permission = Permission.objects.filter(codename="view_user").first()\ntype = permission.content_type\npermission.delete()\nUser.objects.get(pk=7).user_permissions.add(Permission.objects.create(codename="view_user", name="again", content_type=type))',
    ],
  ])('%s', async (_, code) => {
    const adopted = await open();
    await adopted.django.run(code);
    await requireRightOrClosed(adopted, queries);
    await adopted.django.run('import writes\nwrites.a_user_saved()\nwrites.all_updated_at_once()');
    await requireRightOrClosed(adopted, queries);
  });

  test('a membership, a permission and a token of nobody', async () => {
    const adopted = await open();
    for (const statement of [
      'alter table accounts_user_groups alter user_id drop not null, alter group_id drop not null',
      'insert into accounts_user_groups (user_id, group_id) values (null, 1), (7, null)',
      'alter table accounts_user_user_permissions alter user_id drop not null',
      'insert into accounts_user_user_permissions (permission_id) select id from auth_permission',
      'alter table authtoken_token alter user_id drop not null',
      "insert into authtoken_token (key, created) values ('of nobody', now())",
    ])
      await sql.raw(statement).execute(adopted.db);
    await requireSame(adopted, queries);
    await adopted.operate('adopt', '--check');
    await adopted.operate('adopt', '--undo');
    await adopt(adopted, mappings.accounts);
    await adopted.operate('adopt', '--check');
  });

  test('columns that have the names of what follows a write', async () => {
    const adopted = await open();
    const names = ['keys', 'key', 'changed', 'rows', 'differs', 'has_left', 'has_late', 'may_lose', 'held', 'source'];
    for (const table of ['accounts_user', 'accounts_user_groups', 'authtoken_token', 'auth_group']) {
      const columns = names.filter((name) => table !== 'authtoken_token' || name !== 'key');
      await sql
        .raw(`alter table ${table} ${columns.map((name) => `add column ${name} text`).join(', ')}`)
        .execute(adopted.db);
    }
    await adopted.django.run(`import writes
writes.a_user_saved()
writes.all_updated_at_once()
User.objects.get(pk=7).groups.set([2, 3])
Token.objects.filter(user_id=7).delete()
Token.objects.create(user_id=7, key="of 7")
Token.objects.filter(user_id=7).update(key="of 7, again")
Group.objects.filter(pk=2).update(name="of other names")`);
    await requireSame(adopted, queries);
    await adopted.operate('adopt');
    await adopted.operate('adopt', '--check');
  });

  // Of PostgreSQL 18; triggers see nothing of it.
  test('a column that is computed when it is read', async ({ skip }) => {
    const peopled = await openPeopled('accounts', crowd(30));
    const { rows } = await sql<{ is: boolean }>`
      select current_setting('server_version_num')::int >= 180000 as is`.execute(peopled.db);
    skip(!rows[0]?.is, 'before PostgreSQL 18 there is none');
    await sql`
      alter table accounts_user add column shown text generated always as (upper(password)) virtual`.execute(
      peopled.db,
    );
    await adopt(peopled, { ...mappings.accounts, columns: { ...mappings.accounts.columns, first_name: 'shown' } });
    await sql`update accounts_user set password = 'another' where id = 1`.execute(peopled.db);
    await peopled.operate('adopt', '--check');
  });

  test('times outside of all calendars', async () => {
    const adopted = await open();
    await adopted.django.run(`with connection.cursor() as cursor:
    cursor.execute("update accounts_user set last_login = 'infinity', date_joined = '-infinity', last_seen = '4000-01-01 BC' where id < 9")`);
    const { status, json } = await send(adopted.handler, { query: 'id_in=1', key: adopted.key });
    expect(status).toBe(200);
    expect(json().results).toMatchObject([
      { last_login: '9999-12-31T23:59:59.999999Z', created_at: '0001-01-01T00:00:00Z' },
    ]);
  });
});

test('three processes at once', async () => {
  const adopted = await openAdopted('accounts', crowd(200));
  const others = [await adopted.start(), await adopted.start()];
  const work = Promise.all(
    [adopted.django, ...others].map((each, seed) => each.run('import churn\nchurn.work(seed, 100)', { seed })),
  );
  let isDone = false;
  const statuses = new Set<number>();
  const asking = (async () => {
    while (!isDone && !statuses.has(503)) statuses.add((await send(adopted.handler, { key: adopted.key })).status);
  })();
  // Some transactions of each were undone.
  expect((await work).every((undone) => Number(undone) > 0)).toBe(true);
  isDone = true;
  await asking;
  expect([...statuses]).toEqual([200]);
  await requireSame(adopted, queries);
});

/** The row of the mirror is one, those of the project are two. */
describe('a user and the profile, written by two processes', () => {
  let adopted: Adopted;
  let other: Django;

  beforeAll(async () => {
    if (lacking) return;
    adopted = await openAdopted('people', crowd(60));
    other = await adopted.start();
  });

  const begin = 'transaction.set_autocommit(False)\n';
  const ids = 'ids = Profile.objects.filter(user__is_staff=True).order_by("user").values_list("user", flat=True)\n';
  const commit = 'transaction.commit()\ntransaction.set_autocommit(True)';

  /** Until the statement is done, or waits for a lock. */
  async function untilItWaits(statement: Promise<unknown>): Promise<void> {
    let isDone = false;
    statement.then(
      () => {
        isDone = true;
      },
      () => {
        isDone = true;
      },
    );
    await expect
      .poll(async () => {
        const { rows } = await sql`select from pg_locks where not granted`.execute(adopted.db);
        return isDone || rows.length > 0;
      })
      .toBe(true);
  }

  const ofUser = (place: number) =>
    `${ids}User.objects.filter(pk=ids[${place}]).update(last_name=f"Zoe {timezone.now()}")`;
  const ofProfile = (place: number) =>
    `${ids}Profile.objects.filter(user=ids[${place}]).update(picture=f"{timezone.now()}")`;
  const both = [
    [ofUser, ofProfile],
    [ofProfile, ofUser],
  ] as const;

  test.each(both)('keep what either has written', async (first, second) => {
    await adopted.django.run(begin + first(0));
    const waiting = other.run(begin + second(0));
    await untilItWaits(waiting);
    await adopted.django.run(commit);
    await waiting;
    await other.run(commit);
    await requireSame(adopted, queries);
  });

  test('do not fail each other crosswise', async () => {
    await adopted.django.run(begin + ofProfile(0));
    await other.run(begin + ofProfile(1));
    const waiting = adopted.django.run(ofUser(1));
    await untilItWaits(waiting);
    await other.run(ofUser(0));
    await other.run(commit);
    await waiting;
    await adopted.django.run(commit);
    await requireRightOrClosed(adopted, queries);
  });
});

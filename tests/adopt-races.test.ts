import { setTimeout } from 'node:timers/promises';
import { type ControlledTransaction, type IsolationLevel, type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../lib/database/tables.ts';
import { fill } from '../manage/adopt/fill.ts';
import type { Mapping } from '../manage/adopt/mapping.ts';
import { readPlan } from '../manage/adopt/plan.ts';
import { openForOperators } from '../manage/database.ts';
import { type Adopted, adopt, mappings, openEndpoint, openPeopled, type Peopled } from './setup/adopted.ts';
import { crowd } from './setup/crowd.ts';
import { lacking } from './setup/django.ts';
import { send } from './setup/request.ts';

beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

type Writer = ControlledTransaction<Database>;
type End = 'commit' | 'rollback';

const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

/** Transactions of the application, each by a connection of its own. */
function openWriters({ ownerUrl }: Peopled): Kysely<Database>[] {
  return [1, 2, 3].map(() => {
    const writer = openForOperators(ownerUrl);
    closers.push(() => writer.destroy());
    return writer;
  });
}

/** What a test that has failed leaves open would hold up the next. */
const open: Writer[] = [];
afterEach(async () => {
  for (const writer of open.splice(0))
    if (!writer.isCommitted && !writer.isRolledBack) await writer.rollback().execute();
});

async function begin(writers: Kysely<Database>[], isolation: IsolationLevel = 'read committed'): Promise<Writer[]> {
  const begun = await Promise.all(
    writers.map((writer) => writer.startTransaction().setIsolationLevel(isolation).execute()),
  );
  for (const writer of begun) await write(writer, "set lock_timeout = '3s'");
  open.push(...begun);
  return begun;
}

const write = (writer: Kysely<Database>, statement: string) => sql.raw(statement).execute(writer);

/** A commit may fail by their own foreign keys. */
const end = (writer: Writer, how: End) =>
  writer[how]()
    .execute()
    .catch((error: unknown) => expect(error).toMatchObject({ code: '23503' }));

/** As long as a test needs, so that whoever comes second sees how the first has ended. */
async function waitLong({ db }: Peopled): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select proname as name from pg_proc where pronamespace = 'users_api'::regnamespace and proname like 'follow\\_%'`.execute(
    db,
  );
  for (const { name } of rows) await write(db, `alter function users_api.${name} set lock_timeout = '20s'`);
}

/** Until the statement is done, or waits for a lock. */
async function untilItWaits({ db }: Peopled, statement: Promise<unknown>): Promise<void> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  statement.then(done, done);
  const isSettled = async () => {
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    return isDone || rows.length > 0;
  };
  await expect.poll(isSettled, { interval: 5, timeout: 5000 }).toBe(true);
}

/** Both are open at once; the second comes to its end when the first has. */
async function race(peopled: Peopled, writers: Kysely<Database>[], writes: string[], ends: End[]): Promise<void> {
  const [first, second] = (await begin(writers.slice(0, 2))) as [Writer, Writer];
  const [[early = '', later = ''], [earlyEnd = 'commit', laterEnd = 'commit']] = [writes, ends];
  await write(first, early);
  const waiting = write(second, later);
  await untilItWaits(peopled, waiting);
  await end(first, earlyEnd);
  await waiting;
  await end(second, laterEnd);
}

/** The other comes to its end while the first is open still. */
async function overtake(writers: Kysely<Database>[], [early = '', later = '']: string[]): Promise<void> {
  const [first, second] = (await begin(writers.slice(0, 2))) as [Writer, Writer];
  await write(first, early);
  await write(second, later);
  await end(second, 'commit');
  await end(first, 'commit');
}

/** One who sees what was at the beginning writes after another, and does not fail. */
async function writeAbove({ db }: Peopled, writers: Kysely<Database>[], writes: string[]): Promise<void> {
  const [before = '', other = '', own = ''] = writes;
  await write(db, before);
  const [writer] = (await begin(writers.slice(0, 1), 'repeatable read')) as [Writer];
  await write(writer, 'select from django_migrations');
  await write(db, other);
  await write(writer, own);
  await writer.commit().execute();
}

const ends: End[][] = [
  ['commit', 'commit'],
  ['rollback', 'commit'],
  ['commit', 'rollback'],
];

/** Each by every order and end. */
const toRaces = (pairs: Record<string, { before?: string; writes: [string, string] }>) =>
  Object.entries(pairs).flatMap(([what, { before = 'select', writes }]) =>
    [writes, writes.toReversed()].flatMap((ordered, turn) =>
      ends.map(
        (both) => [`${what}${turn ? ', the latter first' : ''}: ${both.join(', ')}`, before, ordered, both] as const,
      ),
    ),
  );

const check = ({ operate }: Peopled) => operate('adopt', '--check');

async function isClosed({ db }: Peopled): Promise<boolean> {
  const { rows } = await sql`select from users_api.late union all select from users_api.faults`.execute(db);
  return rows.length > 0;
}

describe.each([
  ['some of whom are hidden', { hidden: 'is_deleted' }],
  ['of whom all are shown', {}],
])('users with a profile, %s', (_, changes) => {
  let adopted: Adopted;
  let writers: Kysely<Database>[];
  let id = 1;

  beforeAll(async () => {
    if (lacking) return;
    const peopled = await openPeopled('people', crowd(50));
    for (const statement of [
      'alter table auth_user add is_deleted boolean not null default false, alter first_name set default $$$$, alter last_name set default $$$$',
      'alter table auth_user alter email set default $$$$, alter password set default $$$$, alter is_superuser set default false',
      'alter table auth_user alter is_active set default true, alter is_staff set default true, alter date_joined set default now()',
      'alter table people_profile alter user_id drop not null, alter email_confirmed set default false, alter gender set default $$$$',
      'alter table people_profile alter completed set default false, alter picture set default $$$$',
      'update auth_user set is_staff = true',
      'insert into people_profile (user_id) select id from auth_user where id not in (select user_id from people_profile)',
      'insert into people_profile (user_id) values (null)',
    ])
      await write(peopled.db, statement);
    await adopt(peopled, { ...mappings.people, ...changes });
    adopted = await openEndpoint(peopled);
    writers = openWriters(adopted);
  });
  beforeEach(async () => {
    if (lacking) return;
    await adopted.operate('adopt');
    id += 1;
  });

  const ofId = (text: string) => text.replaceAll(':id', `${id}`);
  const hide = 'update auth_user set is_deleted = true where id = :id';
  const show = 'update auth_user set is_deleted = false where id = :id';
  const insert = (isDeleted: boolean) =>
    `insert into auth_user (id, username, is_deleted) values (:id, 'new-:id', ${isDeleted})`;
  const profile = "update people_profile set picture = 'new.png' where user_id = :id";
  const newProfile = "insert into people_profile (user_id, picture) values (:id, 'new.png')";
  const removeProfile = 'delete from people_profile where user_id = :id;';
  const remove = 'delete from auth_user where id = :id';
  const removeAll = `${['authtoken_token', 'auth_user_groups', 'auth_user_user_permissions', 'people_profile']
    .map((table) => `delete from ${table} where user_id = :id;`)
    .join('')} update people_profile set referred_by_id = null where referred_by_id = :id;`;

  test.each(
    toRaces({
      'one is un-hidden, the profile is written': { before: hide, writes: [show, profile] },
      'one is hidden, the profile is written': { writes: [hide, profile] },
      'one is un-hidden, the profile is deleted': { before: hide, writes: [show, removeProfile] },
      'one is un-hidden, a profile is made': { before: `${removeProfile}${hide}`, writes: [show, newProfile] },
      'one is made, a profile is made': { before: `${removeAll}${remove}`, writes: [insert(false), newProfile] },
      'one is made hidden, a profile is made': { before: `${removeAll}${remove}`, writes: [insert(true), newProfile] },
    }),
  )('%s', async (_, before, writes, both) => {
    await waitLong(adopted);
    await write(adopted.db, ofId(before));
    await race(adopted, writers, writes.map(ofId), [...both]);
    await check(adopted);
  });

  test.each([
    ['the profile of one who is un-hidden', hide, [show, profile]],
    ['one whose profile is written is un-hidden', hide, [profile, show]],
    ['a profile of one who is made', `${removeAll}${remove}`, [insert(false), newProfile]],
    ['one who is hidden and gets a profile is deleted', `${removeAll}${hide}`, [newProfile, remove]],
    ['a profile and one of nobody', 'select', [hide, `${profile} or user_id is null`]],
  ])('what waits too long closes the API until the next write: %s', async (_, before, writes) => {
    await write(adopted.db, ofId(before));
    await overtake(writers, writes.map(ofId));
    if (await isClosed(adopted)) expect((await send(adopted.handler, { key: adopted.key })).status).toBe(503);
    await write(adopted.db, 'update auth_user set first_name = first_name where id = 1');
    await check(adopted);
    expect((await send(adopted.handler, { key: adopted.key })).status).toBe(200);
  });

  test('nothing is shown of a profile whose user is nobody', async () => {
    await write(adopted.db, 'alter table people_profile disable trigger all');
    await write(adopted.db, 'insert into people_profile (user_id) values (1000)');
    await write(adopted.db, 'alter table people_profile enable trigger all');
    await adopted.operate('adopt');
    await write(
      adopted.db,
      "update people_profile set picture = 'new.png', seen_at = now() where user_id in (1, 1000)",
    );
    await write(adopted.db, "update people_profile set picture = 'newer.png' where user_id = 1000");
    await check(adopted);
    await write(adopted.db, 'delete from people_profile where user_id = 1000');
    await check(adopted);
  });

  test.each([
    ['un-hidden, and writes the profile', hide, show, profile],
    ['hidden, and writes the profile', 'select', hide, profile],
    ['changed, and writes the profile', 'select', "update auth_user set first_name = 'Zoe' where id = :id", profile],
    [
      'changed in the profile, and writes the user',
      'select',
      profile,
      'update auth_user set first_name = $$Zoe$$ where id = :id',
    ],
  ])('a transaction that sees what was before one was %s', async (_, before, other, own) => {
    await writeAbove(adopted, writers, [ofId(before), ofId(other), ofId(own)]);
    await write(adopted.db, 'update auth_user set first_name = first_name where id = 1');
    await check(adopted);
  });
});

/** Tables that hold a thing twice, for nothing of theirs forbids it. */
describe('without a unique constraint', () => {
  let adopted: Adopted;
  let writers: Kysely<Database>[];

  beforeAll(async () => {
    if (lacking) return;
    const peopled = await openPeopled('accounts', crowd(20));
    await write(
      peopled.db,
      `do $$ declare each record; begin
        for each in select conrelid::regclass as name, conname from pg_constraint
          where contype in ('u', 'p') and conrelid::regclass::text ~ '^(accounts_user_groups|accounts_user_user_permissions|auth_group_permissions|authtoken_token)$'
        loop execute format('alter table %s drop constraint %I', each.name, each.conname); end loop;
      end $$`,
    );
    await adopt(peopled, mappings.accounts);
    adopted = await openEndpoint(peopled);
    writers = openWriters(adopted);
  });
  beforeEach(async () => {
    if (!lacking) await adopted.operate('adopt');
  });

  const permission = "select id from auth_permission where codename = 'view_user'";
  const tables = {
    accounts_user_groups: ['user_id = 7 and group_id = 2', '(user_id, group_id) values (7, 2)'],
    accounts_user_user_permissions: [
      `user_id = 7 and permission_id = (${permission})`,
      `(user_id, permission_id) values (7, (${permission}))`,
    ],
    auth_group_permissions: [
      `group_id = 3 and permission_id = (${permission})`,
      `(group_id, permission_id) values (3, (${permission}))`,
    ],
    authtoken_token: ["key = 'twice'", "(key, user_id, created) values ('twice', 7, '2026-01-01')"],
  };

  describe.each(Object.entries(tables))('%s', (table, [which = '', row = '']) => {
    const insert = `insert into ${table} ${row};`;
    const remove = `delete from ${table} where ${which}`;
    const removeOne = (place: string) => `${remove} and ctid = (select ${place}(ctid) from ${table} where ${which})`;

    test.each(
      toRaces({
        'each of two is deleted': {
          before: `${remove}; ${insert} ${insert}`,
          writes: [removeOne('min'), removeOne('max')],
        },
        'one is deleted, the same is made': { before: `${remove}; ${insert}`, writes: [remove, insert] },
        'the same is made twice': { before: remove, writes: [insert, insert] },
      }),
    )('%s', async (_, before, writes, both) => {
      await write(adopted.db, before);
      await waitLong(adopted);
      await race(adopted, writers, [...writes], [...both]);
      await check(adopted);
    });

    test('what was made while the same was made stays when that goes', async () => {
      await write(adopted.db, remove);
      await waitLong(adopted);
      const [first, second, third] = (await begin(writers)) as [Writer, Writer, Writer];
      await write(first, insert);
      const insertion = write(second, insert);
      await untilItWaits(adopted, insertion);
      await end(first, 'commit');
      await insertion;
      const removal = write(third, remove);
      await untilItWaits(adopted, removal);
      await end(second, 'commit');
      await removal;
      await end(third, 'commit');
      await check(adopted);
    });
  });

  test('what waits too long closes the API until the next write', async () => {
    const [which, row] = tables.accounts_user_groups;
    const remove = (place: string) =>
      `delete from accounts_user_groups where ctid = (select ${place}(ctid) from accounts_user_groups where ${which})`;
    await write(adopted.db, `delete from accounts_user_groups where ${which}`);
    for (const _ of [1, 2]) await write(adopted.db, `insert into accounts_user_groups ${row}`);
    await overtake(writers, [remove('min'), remove('max')]);
    expect((await send(adopted.handler, { key: adopted.key })).status).toBe(503);
    await write(adopted.db, 'delete from accounts_user_groups where user_id = 1');
    await check(adopted);
    expect((await send(adopted.handler, { key: adopted.key })).status).toBe(200);
  });
});

test.each([
  ['waits for nobody', 'unique (user_id, group_id)', false],
  ['waits for nobody', 'primary key (group_id, user_id)', false],
  ['waits for nobody', 'unique (user_id, group_id) include (id)', false],
  ['is a matter of order', 'unique (user_id, group_id) deferrable initially deferred', true],
  ['is a matter of order', 'unique (user_id, group_id, id)', true],
])('to leave two groups at once %s where there is: %s', async (_, constraint, isLate) => {
  const peopled = await openPeopled('accounts', crowd(20));
  await write(
    peopled.db,
    `do $$ begin execute (select string_agg(format('alter table accounts_user_groups drop constraint %I', conname), ';')
      from pg_constraint where contype in ('u', 'p') and conrelid = 'accounts_user_groups'::regclass); end $$`,
  );
  await write(peopled.db, `alter table accounts_user_groups add ${constraint}`);
  await adopt(peopled, mappings.accounts);
  await write(peopled.db, 'delete from accounts_user_groups where user_id = 7');
  await write(peopled.db, 'insert into accounts_user_groups (user_id, group_id) values (7, 1), (7, 2)');
  const leave = (group: number) => `delete from accounts_user_groups where user_id = 7 and group_id = ${group}`;
  await overtake(openWriters(peopled), [leave(1), leave(2)]);
  expect(await isClosed(peopled)).toBe(isLate);
});

describe('above read committed', () => {
  let adopted: Adopted;
  let writers: Kysely<Database>[];

  beforeAll(async () => {
    if (lacking) return;
    const peopled = await openPeopled('accounts', crowd(20));
    await adopt(peopled, mappings.accounts);
    adopted = await openEndpoint(peopled);
    writers = openWriters(adopted);
  });

  const member = 'accounts_user_groups where user_id = 7 and group_id = 2';
  const token = "authtoken_token where key = 'one'";
  const [makeMember, makeToken] = [
    'insert into accounts_user_groups (user_id, group_id) values (7, 2)',
    "insert into authtoken_token (key, user_id, created) values ('one', 8, '2026-01-01')",
  ];

  test.each([
    ['membership', member, makeMember],
    ['token', token, makeToken],
  ])('a %s is made again that another has deleted since', async (_, which, make) => {
    await write(adopted.db, `delete from authtoken_token where user_id = 8; delete from ${which}`);
    await writeAbove(adopted, writers, [make, `delete from ${which}`, make]);
    await write(adopted.db, `delete from accounts_user_groups where false; delete from authtoken_token where false`);
    await check(adopted);
  });
});

test('what is deleted while adopt fills, and committed when it has filled, is not there after it', async () => {
  const peopled = await openPeopled('accounts', crowd(60));
  await adopt(peopled, mappings.accounts);
  const [writer] = (await begin(openWriters(peopled).slice(0, 1))) as [Writer];
  // As before adopt has filled, but for the triggers.
  await write(
    peopled.db,
    'truncate users_api.users, users_api.user_presence, users_api.user_groups, users_api.auth_tokens, users_api.group_permissions',
  );
  for (const statement of [
    'delete from authtoken_token where user_id in (13, 16)',
    'delete from accounts_user_groups where user_id = 7',
    'delete from auth_group_permissions',
    'update accounts_user set last_seen = null where id = 1',
  ])
    await write(writer, statement);
  const db = openForOperators(peopled.ownerUrl);
  const filled = db.connection().execute((first) =>
    db.connection().execute(async (second) => {
      await write(first, 'set search_path = users_api');
      await fill([first, second], await readPlan(second, mappings.accounts as Mapping), () => {});
    }),
  );
  await Promise.race([filled, setTimeout(1000)]);
  await end(writer, 'commit');
  await filled;
  await db.destroy();
  await check(peopled);
});

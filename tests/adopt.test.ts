import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OperatorError } from '../manage/operator-error.ts';
import { findPostgres } from '../scripts/servers/postgres-programs.ts';
import {
  type Adopted,
  adopt,
  mappings,
  openAdopted,
  openEndpoint,
  openPeopled,
  type Peopled,
  requireSame,
} from './setup/adopted.ts';
import { crowd, queries } from './setup/crowd.ts';
import { type Layout, lacking } from './setup/django.ts';
import { send } from './setup/request.ts';

beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

const layouts: Layout[] = ['accounts', 'people', 'members'];

/** The sentence that a command is refused with. */
async function readRefusal(command: Promise<unknown>): Promise<string> {
  const error = await command.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OperatorError);
  return (error as Error).message;
}

async function hasMirror({ db }: Peopled): Promise<boolean> {
  const { rows } = await sql`select from pg_namespace where nspname = 'users_api'`.execute(db);
  return rows.length > 0;
}

describe.each(layouts)('users as those of %s', (layout) => {
  test('are answered for as the ORM answers: each filter, ordering, search and field', async () => {
    await requireSame(await openAdopted(layout, crowd(200)), queries);
  });
});

test('the mapping that --inspect proposes for a usual user model is whole', async () => {
  const peopled = await openPeopled('accounts', crowd(60));
  const { output } = await peopled.operate('adopt', '--inspect');
  expect(await hasMirror(peopled)).toBe(false);
  await adopt(peopled, JSON.parse(output.join('\n')));
  await requireSame(await openEndpoint(peopled), queries);
});

test.each([
  ['people', [/updated_at/, /permission/]],
  ['members', [/is_staff/, /hidden/, /TOKEN_HASH=sha512/]],
] as const)('--inspect asks for what it cannot know of %s', async (layout, questions) => {
  const peopled = await openPeopled(layout, crowd(10));
  const { output, said } = await peopled.operate('adopt', '--inspect');
  expect(JSON.parse(output.join('\n'))).toMatchObject({ users: mappings[layout].users });
  for (const question of questions) expect(said.join('\n')).toMatch(question);
});

describe('a mapping that does not fit', () => {
  let accounts: Peopled;
  let members: Peopled;

  beforeAll(async () => {
    if (lacking) return;
    accounts = await openPeopled('accounts', crowd(60));
    members = await openPeopled('members', crowd(10));
  });

  test.each<[what: string, changes: object, sentence: RegExp]>([
    [
      'no such table',
      { users: 'acounts_user' },
      /^users: there is no table "acounts_user"\. Did you mean "accounts_user"\?/m,
    ],
    [
      'no such column',
      { last_seen: 'last_sen' },
      /last_seen: "accounts_user" has no column "last_sen"\. Did you mean "last_seen"\?/,
    ],
    ['an unknown key', { user: 'x' }, /user: is not known here/],
    [
      'no join of that name',
      { columns: { avatar: 'profile.avatar' } },
      /columns\.avatar: "profile" is none of the mapping's joins/,
    ],
    [
      'a join of several rows',
      { joins: { log: 'django_admin_log' }, columns: { avatar: 'log.object_repr' } },
      /joins\.log: "django_admin_log" has no unique foreign key/,
    ],
    [
      'a time that is none',
      { last_seen: 'date_joined', columns: { updated_at: 'username' } },
      /columns\.updated_at: "username" is character varying; expected timestamp with time zone/,
    ],
    [
      'a flag that is none',
      { columns: { is_active: 'gender' } },
      /columns\.is_active: "gender" is character varying; expected boolean/,
    ],
    [
      'a gender without its meaning',
      { columns: { gender: { column: 'gender', values: { M: 'male' } } } },
      /gender.*"?F"?/,
    ],
    [
      'a gender that there is not',
      { columns: { gender: { column: 'gender', values: { M: 'man' } } } },
      /columns\.gender/,
    ],
    [
      'a username that several may have',
      { columns: { username: 'last_name' } },
      /columns\.username: "last_name" is not unique/,
    ],
    ['no such permission', { permission: 'accounts.list_user' }, /permission: there is no "accounts\.list_user"/],
    ['no tokens', { tokens: [] }, /tokens: .*JSON Web Token/s],
    ['tokens of another kind', { tokens: ['auth_group'] }, /tokens: expected "auth_group" to have a foreign key/],
  ])('is refused with what to do, and nothing is made: %s', async (_, changes, sentence) => {
    const { columns, ...rest } = { columns: {}, ...changes };
    const mapping = { ...mappings.accounts, ...rest, columns: { ...mappings.accounts.columns, ...columns } };
    expect(await readRefusal(adopt(accounts, mapping))).toMatch(sentence);
    expect(await hasMirror(accounts)).toBe(false);
  });

  test('is refused where a field is neither there nor said to be none', async () => {
    const { gender, ...columns } = mappings.members.columns;
    expect(gender).toBeNull();
    expect(await readRefusal(adopt(members, { ...mappings.members, columns }))).toMatch(
      /columns\.gender: .*"gender": null/,
    );
  });

  test('is refused if it is no JSON, or no file', async () => {
    expect(await readRefusal(accounts.operate('adopt', '{"users": '))).toMatch(/JSON/);
    expect(await readRefusal(accounts.operate('adopt', '/no/such/file.json'))).toMatch(/\/no\/such\/file\.json/);
  });
});

test.each<[what: string, statements: string[], sentence: RegExp]>([
  ['a schema users_api of somebody else', ['create schema users_api', 'create table users_api.theirs ()'], /users_api/],
  [
    'an owner who may not create a schema',
    ['revoke create on database :database from :owner', 'alter database :database owner to postgres'],
    /grant create on database/,
  ],
  [
    'tables of another owner',
    ['alter table accounts_user owner to postgres', 'grant select on accounts_user to :owner'],
    /"accounts_user" belongs to "postgres"/,
  ],
  [
    'rows that their owner does not see',
    [
      'alter table accounts_user enable row level security, force row level security',
      'create policy of_one on accounts_user using (id = 1)',
    ],
    /"accounts_user" has row level security .* no force row level security/,
  ],
  [
    'ids that are no numbers',
    [
      'alter table accounts_user drop constraint accounts_user_pkey cascade',
      'alter table accounts_user add column uid uuid primary key default gen_random_uuid()',
    ],
    /whole numbers/,
  ],
])('refuses %s', async (_, statements, sentence) => {
  const peopled = await openPeopled('accounts', crowd(10));
  const { pathname, username } = new URL(peopled.ownerUrl);
  for (const statement of statements) {
    await sql
      .raw(statement.replaceAll(':owner', username).replaceAll(':database', pathname.slice(1)))
      .execute(peopled.db);
  }
  expect(await readRefusal(adopt(peopled, mappings.accounts))).toMatch(sentence);
});

test('two at once take turns', async () => {
  const peopled = await openPeopled('accounts', crowd(10));
  const [one, other] = await Promise.all([adopt(peopled, mappings.accounts), adopt(peopled, mappings.accounts)]);
  expect(other.output).toEqual(one.output);
  await peopled.operate('adopt', '--check');
});

describe('the other commands', () => {
  let peopled: Peopled;
  let adopted: Adopted;

  beforeAll(async () => {
    if (lacking) return;
    [peopled, adopted] = [await openPeopled('accounts', crowd(10)), await openAdopted('accounts', crowd(10))];
  });

  test.each(['migrate', 'create-reader nobody'])('before it is adopted: %s refuses, naming adopt', async (words) => {
    expect(await readRefusal(peopled.operate(...words.split(' ')))).toMatch(/adopt/);
    expect(await hasMirror(peopled)).toBe(false);
    const { rows } = await sql`select from pg_tables where tablename ~ '^(auth_tokens|kysely.*)$'`.execute(peopled.db);
    expect(rows).toEqual([]);
  });

  test.each([
    'create-user zoe',
    'update-user user-2 --staff',
    'delete-user user-2 --confirm user-2',
    'grant user-2 1222',
    'revoke user-2 1222',
    'create-group zoes',
    'add-to-group user-2 Support',
    'remove-from-group user-2 Support',
    'issue-token user-2',
    'revoke-token 00000000',
    'revoke-tokens user-2',
    'seed-demo',
  ])('of what Django writes refuse, naming it: %s', async (words) => {
    expect(await readRefusal(adopted.operate(...words.split(' ')))).toMatch(/Django/);
    await adopted.operate('adopt', '--check');
  });

  test('that write nothing of theirs work', async () => {
    expect((await adopted.operate('list-tokens', 'user-1')).output.length).toBeGreaterThan(0);
    await adopted.operate('migrate');
    await adopted.operate('adopt', '--check');
  });

  test('the role of the endpoint reads no table of theirs', async () => {
    const { rows } = await sql<{ table: string }>`
      select relname as "table" from pg_class, pg_roles
      where relnamespace = 'public'::regnamespace and relkind = 'r' and rolname like 'reader\_%'
        and has_any_column_privilege(rolname, pg_class.oid, 'select, insert, update')`.execute(adopted.db);
    expect(rows).toEqual([]);
  });
});

describe('adopt --undo', () => {
  const programs = findPostgres() ?? '';

  test.for([
    ['as it was', []],
    ['as it was, with their own pg_trgm', ['create extension pg_trgm']],
  ] as const)('leaves the catalog %s', async ([_, statements], { skip }) => {
    skip(!existsSync(join(programs, 'pg_dump')), "needs the server's pg_dump");
    const peopled = await openPeopled('accounts', crowd(30));
    for (const statement of statements) await sql.raw(statement).execute(peopled.db);
    const dump = () => {
      const url = new URL(peopled.ownerUrl);
      url.username = 'postgres';
      const { status, stdout, stderr } = spawnSync(join(programs, 'pg_dump'), ['-s', url.href], { encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      // A key that each dump draws anew.
      return stdout.replace(/^\\(un)?restrict .*$/gm, '');
    };
    const before = dump();
    await adopt(peopled, mappings.accounts);
    const { handler, key } = await openEndpoint(peopled);
    expect(dump()).not.toBe(before);
    await peopled.operate('adopt', '--undo');
    expect(dump()).toBe(before);
    expect((await send(handler, { key })).status).toBe(503);
    await peopled.django.run('import writes\nwrites.a_user_saved()');
    await adopt(peopled, mappings.accounts);
    await requireSame(await openEndpoint(peopled), ['limit=1000']);
  });
});

describe('adopting many', () => {
  /** Customers besides, so that it takes a while. */
  async function openMany(): Promise<Peopled> {
    const peopled = await openPeopled('accounts', crowd(200));
    await sql`
      insert into accounts_user (username, password, first_name, last_name, email, is_staff, is_superuser, is_active, is_customer,
        is_email_verified, is_profile_completed, date_joined, updated_at)
      select 'many-' || n, '', '', '', '', n % 100 = 0, false, true, true, false, false, now(), now()
      from generate_series(1, 60000) as n`.execute(peopled.db);
    return peopled;
  }

  test('goes on after it was killed', async () => {
    const peopled = await openMany();
    const child = spawn(process.execPath, ['scripts/manage.ts', 'adopt', JSON.stringify(mappings.accounts)], {
      env: { PATH: process.env['PATH'], DATABASE_URL: peopled.ownerUrl },
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
      // The progress of the fill.
      if (/\d+ %|\d+ of \d+/.test(said)) child.kill('SIGKILL');
    });
    const [, signal] = await once(child, 'exit');
    expect({ said, signal }).toMatchObject({ signal: 'SIGKILL' });
    expect(await readRefusal(peopled.operate('adopt', '--check'))).toMatch(/adopt/);
    const early = await openEndpoint(peopled);
    expect((await send(early.handler, { key: early.key })).status).toBe(503);
    await peopled.operate('adopt');
    await peopled.operate('adopt', '--check');
    await requireSame(early, ['limit=1000']);
  });

  test('while three processes write', async () => {
    const peopled = await openMany();
    const processes = [peopled.django, await peopled.start(), await peopled.start()];
    const work = Promise.all(processes.map((each, seed) => each.run('import churn\nchurn.work(seed, 60)', { seed })));
    await adopt(peopled, mappings.accounts);
    const adopted = await openEndpoint(peopled);
    expect((await send(adopted.handler, { key: adopted.key })).status).toBe(200);
    await work;
    await peopled.operate('adopt', '--check');
    await requireSame(adopted, ['limit=1000', 'has_token=true']);
  });
});

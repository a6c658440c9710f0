import { readFileSync } from 'node:fs';
import { CompiledQuery, sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { filters } from '../lib/users/filters.ts';
import { userSchema } from '../lib/users/user.ts';
import { openOperated } from './setup/operated.ts';
import { people } from './setup/people.ts';
import { send } from './setup/request.ts';

const document = readFileSync('docs/data.md', 'utf8');

const { database, handler, manage, shownOf } = await openOperated();

/** `` `id`, `name` `` → ['id', 'name'] */
const wordsOf = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word as string);

/** The rows of the document's tables, by the heading above them: columns, what they are shown as, who writes them. */
const sections = document.split(/^## /m).flatMap((section) => {
  const rows = [...section.matchAll(/^\| (`.*) \|(.*)\| (.*) \|$/gm)];
  const [table = ''] = section.split('\n');
  return rows.length === 0 ? [] : { table, rows: rows.map(([, columns, shown]) => [wordsOf(columns), wordsOf(shown)]) };
});

/** The names and options of all commands. */
const commands = async (): Promise<string> => (await manage('help')).join('\n');

describe('docs/data.md', () => {
  test('has each column of each table, and no other', async () => {
    const { rows } = await sql<{ name: string; columns: string[] }>`
      select table_name as name, array_agg(column_name::text order by ordinal_position) as columns
      from information_schema.columns where table_schema = 'public' and table_name not like 'kysely%' group by 1`.execute(
      database.db,
    );
    const columnsOf = Object.fromEntries(rows.map(({ name, columns }) => [name, columns.toSorted()]));
    const documented = sections.map(({ table, rows }) => [table, rows.flatMap(([columns = []]) => columns).toSorted()]);
    expect(Object.fromEntries(documented)).toEqual(columnsOf);
  });

  test('has each field of a user among what columns are shown as, and else parameters of the list', () => {
    const shown = new Set(sections.flatMap(({ rows }) => rows.flatMap(([, shown = []]) => shown)));
    expect([...shown]).toEqual(expect.arrayContaining(Object.keys(userSchema.entries)));
    expect([...shown].filter((name) => !(name in userSchema.entries || name in filters))).toEqual([]);
  });

  test('names commands and options that there are', async () => {
    const known = await commands();
    const named = wordsOf(document).flatMap(
      (word) => word.match(/^(?:[a-z]+-[a-z-]+|grant|revoke)\b|--[a-z-]{2,}/g) ?? [],
    );
    expect(named).toEqual(expect.arrayContaining(['create-user', 'grant', '--group', '--mobile-number']));
    for (const word of named.filter((word) => word !== '--no-')) expect(known).toContain(word.replace('--no-', '--'));
  });
});

test('README lists each command', async () => {
  const names = [...(await commands()).matchAll(/^ {2}([a-z][a-z-]+)/gm)].map(([, name]) => `\`${name}\``);
  expect(names).toContain('`update-user`');
  const row = /^\| `npm run manage -- .*$/m.exec(readFileSync('README.md', 'utf8'))?.[0] ?? '';
  expect(wordsOf(row).map((name) => `\`${name}\``)).toEqual(
    expect.arrayContaining(names.filter((name) => name !== '`migrate`')),
  );
});

/** The document's SQL, by the comment above it. */
const blocks = new Map(
  [...document.matchAll(/^```sql\n-- ([^:\n]*).*\n([^`]*)```$/gm)].map(([, title = '', text = '']) => [title, text]),
);

type Values = Record<string, unknown>;

/** Runs a block with its values, as a transaction. Returns how many rows its last statement has written. */
async function run(title: string, values: Values): Promise<number> {
  const text = blocks.get(title);
  if (text === undefined) throw new Error(`There is no SQL for "${title}".`);
  return database.db.transaction().execute(async (trx) => {
    let written = 0;
    for (const statement of text.split(';')) {
      const parameters: unknown[] = [];
      const numbered = statement.replace(/(?<!:):([a-z_]+)/g, (_, name: string) => {
        expect(values).toHaveProperty(name);
        return `$${parameters.push(values[name])}`;
      });
      const { numAffectedRows } = await trx.executeQuery(CompiledQuery.raw(numbered, parameters));
      written = Number(numAffectedRows);
    }
    return written;
  });
}

const longAgo = '2020-01-01T00:00:00Z';

let count = 0;

/** Staff of the test's own, written long ago. */
async function createStaff(more: { invited_by_id?: number } = {}): Promise<number> {
  count += 1;
  const { id } = await database.db
    .insertInto('users')
    .values({ username: `staff ${count}`, is_staff: true, created_at: longAgo, updated_at: longAgo, ...more })
    .returning('id')
    .executeTakeFirstOrThrow();
  return Number(id);
}

async function createGroup(): Promise<number> {
  count += 1;
  const { id } = await database.db
    .insertInto('groups')
    .values({ name: `group ${count}` })
    .returning('id')
    .executeTakeFirstOrThrow();
  return Number(id);
}

/** Within the last minute. */
const isNew = (time: string | null | undefined): boolean => Date.parse(time ?? longAgo) > Date.now() - 60_000;

/** What the endpoint shows after each of the blocks. */
const facts: Record<string, () => Promise<void>> = {
  async 'what is shown of a user changes'() {
    const [user_id, other] = [await createStaff(), await createStaff()];
    await run('what is shown of a user changes', { user_id, first_name: 'Zoë' });
    const shown = await shownOf(user_id);
    expect(shown).toMatchObject({ first_name: 'Zoë', full_name: 'Zoë' });
    expect(isNew(shown?.updated_at)).toBe(true);
    expect(await shownOf(other)).toMatchObject({ first_name: null, updated_at: longAgo });
  },

  async 'a user signs in'() {
    const [user_id, other] = [await createStaff(), await createStaff()];
    await run('a user signs in', { user_id });
    const shown = await shownOf(user_id);
    expect(isNew(shown?.last_login)).toBe(true);
    expect(shown?.updated_at).toBe(longAgo);
    expect(await shownOf(other)).toMatchObject({ last_login: null });
  },

  async 'a user sends an authenticated request'() {
    const title = 'a user sends an authenticated request';
    const [user_id, other] = [await createStaff(), await createStaff()];
    const seen = (interval: string) =>
      sql`update user_presence set last_seen_at = now() - ${interval}::interval where user_id = ${user_id}`.execute(
        database.db,
      );
    expect(await shownOf(user_id)).toMatchObject({ is_online: false });
    expect(await run(title, { user_id })).toBe(1);
    expect(await shownOf(user_id)).toMatchObject({ is_online: true, updated_at: longAgo, last_login: null });
    expect(await shownOf(other)).toMatchObject({ is_online: false });
    await seen('59 seconds');
    expect(await run(title, { user_id })).toBe(0);
    await seen('10 minutes');
    expect(await shownOf(user_id)).toMatchObject({ is_online: false });
    expect(await run(title, { user_id })).toBe(1);
    expect(await shownOf(user_id)).toMatchObject({ is_online: true });
  },

  async 'a user signs out, and is offline at once'() {
    const [user_id, other] = [await createStaff(), await createStaff()];
    for (const id of [user_id, other]) await run('a user sends an authenticated request', { user_id: id });
    await run('a user signs out, and is offline at once', { user_id });
    expect(await shownOf(user_id)).toMatchObject({ is_online: false });
    expect(await shownOf(other)).toMatchObject({ is_online: true });
  },

  async 'a user comes into a group'() {
    const [user_id, group_id] = [await createStaff(), await createGroup()];
    await run('a user comes into a group', { user_id, group_id });
    const shown = await shownOf(user_id);
    expect(shown?.groups_data).toEqual([{ id: group_id, name: expect.any(String) }]);
    expect(isNew(shown?.updated_at)).toBe(true);
    expect(await run('a user comes into a group', { user_id, group_id })).toBe(0);
  },

  async 'a user leaves a group'() {
    const [user_id, other, group_id] = [await createStaff(), await createStaff(), await createGroup()];
    const memberships = [user_id, other].map((id) => ({ user_id: id, group_id }));
    await database.db.insertInto('user_groups').values(memberships).execute();
    await run('a user leaves a group', { user_id, group_id });
    const shown = await shownOf(user_id);
    expect(shown?.groups_data).toEqual([]);
    expect(isNew(shown?.updated_at)).toBe(true);
    expect(await shownOf(other)).toMatchObject({ groups_data: [{ id: group_id }], updated_at: longAgo });
    expect(await run('a user leaves a group', { user_id, group_id })).toBe(0);
  },

  async 'a group is deleted'() {
    const [user_id, other, group_id, kept] = [
      await createStaff(),
      await createStaff(),
      await createGroup(),
      await createGroup(),
    ];
    await database.db
      .insertInto('user_groups')
      .values([
        { user_id, group_id },
        { user_id: other, group_id: kept },
      ])
      .execute();
    await run('a group is deleted', { group_id });
    const shown = await shownOf(user_id);
    expect(shown?.groups_data).toEqual([]);
    expect(isNew(shown?.updated_at)).toBe(true);
    expect(await shownOf(other)).toMatchObject({ groups_data: [{ id: kept }], updated_at: longAgo });
  },

  async 'a user is deleted'() {
    const user_id = await createStaff();
    const [invitee, other] = [await createStaff({ invited_by_id: user_id }), await createStaff({ invited_by_id: 1 })];
    await run('a user is deleted', { user_id });
    expect(await shownOf(user_id)).toBeUndefined();
    const shown = await shownOf(invitee);
    expect(shown?.invited_by).toBeNull();
    expect(isNew(shown?.updated_at)).toBe(true);
    expect(await shownOf(other)).toMatchObject({ invited_by: { id: people.ann.id }, updated_at: longAgo });
  },

  async 'a user gets a key'() {
    const user_id = await createStaff();
    const hasToken = async () => (await send(handler, { query: `id_in=${user_id}&has_token=true` })).json().count === 1;
    expect(await hasToken()).toBe(false);
    await manage('grant', `staff ${count}`, '1222');
    await run('a user gets a key', { user_id, key: 'clé', name: 'web' });
    expect(await hasToken()).toBe(true);
    expect((await send(handler, { key: Buffer.from('clé').toString('latin1') })).status).toBe(200);
    expect((await manage('list-tokens', `staff ${count}`))[1]).toMatch(/ {2}web$/);
  },

  async 'after users were loaded with their ids'() {
    const id = (await createStaff()) + 1;
    await database.db.insertInto('users').values({ id, username: 'loaded', is_staff: true }).execute();
    onTestFinished(async () => void (await database.db.deleteFrom('users').where('id', '=', id).execute()));
    await run('after users were loaded with their ids', {});
    expect(await createStaff()).toBe(id + 1);
  },
};

test('each SQL block of docs/data.md is tried', () => {
  expect([...blocks.keys()].toSorted()).toEqual(Object.keys(facts).toSorted());
  expect(document.match(/```sql/g)).toHaveLength(blocks.size);
});

test.each(Object.entries(facts))('%s: the endpoint shows it', (_, tried) => tried());

import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from './setup/database.ts';
import { keys, people } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';

// Of two functions of a name PostgreSQL takes the one whose arguments fit better, wherever in search_path it stands: one in the tables' schema
// goes before a polymorphic one of its own, and in a function of the owner's it would run as the owner.
const { db, url } = await openTestDatabase();
const handler = await loadHandler(url);

const functions = ['find_caller', 'list_details', 'search_fold', 'search_pattern'];

/** What stands for a polymorphic argument. */
const concrete = ['bigint', 'integer', 'text', 'bytea', 'timestamptz', 'boolean'];

/** Of the names that the API's own statements call, with other types than theirs. */
const beside = [
  'find_caller(text) returns table (id bigint, is_active boolean, is_staff boolean, is_admin boolean, permissions integer[])',
  'find_caller(character varying) returns text',
  'list_details(integer[], timestamptz) returns text',
  'list_details(bigint[], timestamp) returns text',
  'make_interval(secs integer) returns interval',
  'make_interval(secs bigint) returns interval',
  'search_fold(character varying) returns text',
  'search_fold(bytea) returns text',
  'search_pattern(character varying) returns text',
  'search_pattern(bytea) returns text',
];

const list = () =>
  send(handler, {
    query: 'search=ann,an&is_online=false&groups_in=2&id_in=1,2&created_from=2020-01-01',
    key: keys.cat,
  });

const call = async (connection = db) => [
  (await sql`select * from find_caller(${createHash('sha256').update(keys.cat).digest()}::bytea)`.execute(connection))
    .rows,
  (
    await sql`select * from list_details(${[people.ann.id, people.bob.id]}::bigint[], now() - interval '5 minutes')`.execute(
      connection,
    )
  ).rows,
  (await sql`select search_fold('Çelik ﬁ'::text), search_pattern('100%'::text)`.execute(connection)).rows,
];

let before: unknown[];
let listed: Awaited<ReturnType<typeof list>>;
const planted: string[] = [];

/** Whoever may create in the schema puts there, of each function that the bodies call and of each operator, one of each type that fits. */
beforeAll(async () => {
  before = await call();
  listed = await list();
  const { rows: sources } = await sql<{ source: string }>`
    select pg_get_functiondef(oid) as source from pg_proc where proname in (${sql.join(functions)})`.execute(db);
  const words = sources.flatMap(({ source }) => source.match(/\b[a-z_]+(?=\()/g) ?? []);
  const { rows: own } = await sql<{ name: string; types: string[] }>`
    select distinct proname as name, array(select format_type(type, null) from unnest(proargtypes) with ordinality as args (type, n) order by n) as types
    from pg_proc where pronamespace = 'pg_catalog'::regnamespace and proname in (${sql.join([...new Set(words)])}) and cardinality(proargtypes) > 0
      and not 'internal'::regtype = any (proargtypes) and not 'cstring'::regtype = any (proargtypes)`.execute(db);
  for (const { name, types } of own) {
    for (const [first, other] of concrete.flatMap((one) => concrete.map((two) => [one, two]))) {
      const args = types.map((arg, place) => {
        const type = place === 0 ? first : other;
        return /^any.*array$/.test(arg) ? `${type}[]` : arg.replace(/^"?any\w*"?$/, `${type}`);
      });
      const head = `create or replace function public.${name}(${args}) returns text language plpgsql`;
      if (!planted.includes(head)) await plant(head);
    }
  }
  for (const head of beside) await plant(`create function public.${head} language plpgsql`);
  for (const type of concrete) {
    const name = `planted_${type}`;
    await plant(`create function public.${name}(${type}, ${type}) returns boolean language plpgsql`);
    for (const operator of ['=', '<', '>', '<>', '||', '~', '!~']) {
      await sql
        .raw(`create operator public.${operator} (leftarg = ${type}, rightarg = ${type}, function = public.${name})`)
        .execute(db);
    }
  }
});

async function plant(head: string): Promise<void> {
  await sql.raw(`${head} as $$ begin raise exception 'planted'; end $$`).execute(db);
  planted.push(head);
}

test('of what is planted in the schema some would be called by whoever looks there first', async () => {
  for (const name of ['unnest(bigint[])', 'json_object_agg(bigint,text)', 'replace(text,text,text)'])
    expect(planted.some((head) => head.includes(`.${name}`))).toBe(true);
  await expect(sql`select unnest(array[1::bigint])`.execute(db)).rejects.toThrow('planted');
});

test('a request calls nothing of it', async () => {
  expect(listed.json().count).toBe(1);
  const { status, json } = await list();
  expect(status).toBe(200);
  expect(json()).toEqual(listed.json());
});

test('what runs as the owner, and what operators write by, calls nothing of it', async () => {
  expect(await call()).toEqual(before);
  const { rows } = await sql<{ search_text: string }>`
    insert into users (username, first_name, is_staff) values ('new', 'Ægir', true) returning search_text`.execute(db);
  expect(rows[0]?.search_text).toContain('AEGIR');
});

test('a temporary table of the name of one of ours is not read', async () => {
  await db.connection().execute(async (connection) => {
    for (const table of ['users', 'auth_tokens', 'user_groups'])
      await sql`create temporary table ${sql.id(table)} (like ${sql.id('public', table)})`.execute(connection);
    expect(await call(connection)).toEqual(before);
    await sql`discard temporary`.execute(connection);
  });
});

import { sql, type Transaction } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../lib/database/statement.ts';
import type { Database } from '../lib/database/tables.ts';
import type { Parameter } from '../lib/parameters.ts';
import { toCursor } from '../lib/users/cursor.ts';
import { filters } from '../lib/users/filters.ts';
import { selectCount, selectMatching } from '../lib/users/matching.ts';
import { ordering } from '../lib/users/ordering.ts';
import type { UserRow } from '../lib/users/row.ts';
import { selectUsers } from '../lib/users/statement.ts';
import { plannerSettings } from '../manage/reader.ts';
import { hasServer, openTestDatabase, type TestDatabase } from './setup/database.ts';
import { queryOf } from './setup/request.ts';

const countOf = (rawQuery: string) => compile(selectCount(selectMatching(queryOf(rawQuery))));

/** A database of 50,000 users, of whom every `nth` is listed. */
async function openCrowd(nth: number): Promise<TestDatabase> {
  const crowd = await openTestDatabase();
  await sql`
    insert into users (username, first_name, gender, is_staff, is_active, last_login, email)
    select 'crowd' || n, 'Name' || n, (array['male', 'female', 'other', null])[1 + n % 4], n % ${sql.lit(nth)} = 0, n % 20 <> 0,
           now() - make_interval(mins => n), 'crowd' || n || '@example.com'
    from generate_series(1, 50000) n`.execute(crowd.db);
  await sql`vacuum analyze`.execute(crowd.db);
  return crowd;
}

/** Of users, in this transaction so far. */
async function readScans(trx: Transaction<Database>) {
  const { rows } = await sql<{ ofTable: number; ofIndexes: number }>`
    select seq_scan::int as "ofTable", idx_scan::int as "ofIndexes" from pg_stat_xact_user_tables where relname = 'users'`.execute(
    trx,
  );
  return rows[0] as { ofTable: number; ofIndexes: number };
}

type Node = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Subplan Name'?: string;
  'Sort Key'?: string[];
  Plans?: Node[];
};

const flatten = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flatten)];

/** The part that finds the ids of the page: the count is the first. */
const isPage = (node: Node): boolean => /^InitPlan 2\b/.test(node['Subplan Name'] ?? '');

/** Both values of a flag, of any other kind its example. */
const textsOf = ({ schema, example }: Parameter<unknown>): string[] =>
  schema.type === 'boolean' ? ['true', 'false'] : [String(example)];
const filterQueries = Object.entries(filters).flatMap(([name, parameter]) =>
  textsOf(parameter).map((text) => `${name}=${text}`),
);
/** Whether a condition is on a column that the listing indexes do not hold: such a filter has no bit in `list_flags`. */
const readsTable = (query: string): boolean =>
  [...countOf(query).sql.matchAll(/\busers"?\."?(\w+)/g)].some(
    ([, column = '']) => !/^(id|list_\w+|search_text)$/.test(column),
  );
const orderings = (ordering.schema.items?.enum ?? []).map(String);

/** From whose beginning or end each page comes. */
const indexes: Record<string, string> = {
  id: 'users_list',
  '-id': 'users_list',
  username: 'users_list_username',
  '-username': 'users_list_username',
  email: 'users_list_email',
  '-email': 'users_list_email_desc',
  gender: 'users_list_gender',
  '-gender': 'users_list_gender_desc',
  last_login: 'users_list_last_login',
  '-last_login': 'users_list_last_login_desc',
  created_at: 'users_list_created_at',
  '-created_at': 'users_list_created_at',
  updated_at: 'users_list_updated_at',
  '-updated_at': 'users_list_updated_at',
};
/** In the middle of each of them. */
const half = {
  id: 25_000,
  email: 'crowd25000@example.com',
  gender: 'male',
  last_login: '2026-01-01T00:00:00.000000Z',
  created_at: '2026-01-01T00:00:00.000000Z',
  updated_at: '2026-01-01T00:00:00.000000Z',
} as UserRow;

const rareSearches = ['search=crowd4999', 'search=nobody'];

// PGlite would do, but its planner's statistics take it minutes.
describe.skipIf(!hasServer).each([
  { who: 'few', nth: 50, searches: [...rareSearches, 'search=a', 'search=crowd,4'] },
  // Whoever searches all for what all have has to read all.
  { who: 'all', nth: 1, searches: rareSearches },
])('where $who are listed', ({ who, nth, searches }) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await openCrowd(nth);
  });

  // Where all are listed, a role with PostgreSQL's own settings reads the table, which is as good as any index.
  const roles: Record<string, string>[] = who === 'few' ? [plannerSettings, {}] : [plannerSettings];

  /** The nodes of its plan for the API's role, and for one that `create-reader` has not made. */
  async function explain(query: { sql: string; parameters: readonly unknown[] }): Promise<Node[][]> {
    const plans = roles.map((settings) =>
      database.db.transaction().execute(async (trx) => {
        for (const [name, value] of Object.entries(settings)) {
          await sql`set local ${sql.id(name)} = ${sql.lit(value)}`.execute(trx);
        }
        const { rows } = await trx.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({
          ...countOf(''),
          ...query,
          sql: `explain (format json) ${query.sql}`,
        });
        return flatten((rows[0] as { 'QUERY PLAN': [{ Plan: Node }] })['QUERY PLAN'][0].Plan);
      }),
    );
    return Promise.all(plans);
  }

  // Where all are listed, the table is as good as any index for what stands in none.
  const indexedQueries = who === 'few' ? filterQueries : filterQueries.filter((query) => !readsTable(query));

  test.each(['', ...indexedQueries, ...orderings.map((key) => `ordering=${key}`), ...searches])(
    '?%s reads users by index alone, never all of them',
    async (query) => {
      for (const statement of [selectUsers(queryOf(query)), countOf(query)]) {
        for (const nodes of await explain(statement)) {
          const onUsers = nodes.filter((node) => node['Relation Name'] === 'users');
          expect(onUsers.length).toBeGreaterThan(0);
          expect(onUsers.filter((node) => node['Node Type'].includes('Seq Scan'))).toEqual([]);
        }
      }
    },
  );

  test.each(orderings)('the page of ?ordering=%s comes sorted from its index', async (key) => {
    for (const nodes of await explain(selectUsers(queryOf(`ordering=${key}`)))) {
      const page = flatten(nodes.find(isPage) as Node);
      const [onUsers, ...others] = page.filter((node) => node['Relation Name'] === 'users');
      // Where all are listed, the unique index is as good.
      const isUnique = who === 'all' && onUsers?.['Index Name'] === 'users_username_key';
      expect(isUnique ? 'users_list_username' : onUsers?.['Index Name']).toBe(indexes[key]);
      expect(others).toEqual([]);
      expect(page.filter((node) => node['Sort Key']?.some((sortKey) => sortKey.includes('users.')))).toEqual([]);
    }
  });

  const keysOfAll = orderings.filter((key) => !/username|id/.test(key));

  // Half-way, and reached from neither end: each part of it begins at the cursor, or where the nulls do.
  test.each(keysOfAll.flatMap((key) => ['after', 'before'].map((side) => [key, side])))(
    'the page of ?ordering=%s %s a cursor begins at it',
    async (key, side) => {
      const query = queryOf(`ordering=${key}`);
      const cursor = toCursor(half, query.ordering, 300);
      for (const nodes of await explain(selectUsers(queryOf(`ordering=${key}&offset=300&${side}=${cursor}`)))) {
        const page = flatten(nodes.find(isPage) as Node);
        const onUsers = page.filter((node) => node['Relation Name'] === 'users');
        expect(onUsers.length).toBeGreaterThan(1);
        for (const node of onUsers) {
          expect(node).toHaveProperty(['Index Cond']);
          // Those who share the cursor's value are in the same order in each index that begins with it.
          expect(node['Index Name']).toMatch(new RegExp(`^users_(list_)?${key.replace('-', '')}(_desc|_key)?$`));
        }
      }
    },
  );

  const coveredQueries = filterQueries.filter((query) => !/^group/.test(query) && !readsTable(query));

  // Of a range of times with conditions besides PostgreSQL expects a few users, and would look each up in the table.
  const lately = new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10);
  const ranges = [
    'last_login_from={lately}&is_active=true',
    'last_login_from={lately}&gender=male&has_email=true',
    'last_login_from={lately}&created_from={lately}',
    'last_login_from={lately}&updated_from={lately}&is_staff=1',
  ];

  test.each(['', ...coveredQueries, ...ranges, 'ordering=-last_login', 'ordering=gender'])(
    '?%s counts in a listing index alone',
    async (query) => {
      for (const nodes of await explain(countOf(query.replaceAll('{lately}', lately)))) {
        const onUsers = nodes.filter((node) => node['Relation Name'] === 'users');
        expect(onUsers.map((node) => node['Node Type'])).toEqual(['Index Only Scan']);
        // One that is narrower than the listing index, or begins with what is asked for, is as good.
        expect(onUsers[0]?.['Index Name']).toMatch(/^users_list(?!_email)/);
      }
    },
  );

  // EXPLAIN does not look into a function. What its plan reads is counted; it may be made for these users, or for any.
  test.each(
    ['force_custom_plan', 'force_generic_plan'].flatMap((mode) => [1, 10, 1000].map((limit) => ({ mode, limit }))),
  )('what is shown of a page of $limit is read by index ($mode)', async ({ mode, limit }) => {
    for (const settings of roles) {
      await database.db.transaction().execute(async (trx) => {
        for (const [name, value] of Object.entries({ ...settings, plan_cache_mode: mode })) {
          await sql`set local ${sql.id(name)} = ${sql.lit(value)}`.execute(trx);
        }
        await sql`create temporary table page on commit drop as
          select id from users where list_flags is not null order by id desc limit ${sql.lit(limit)}`.execute(trx);
        const before = await readScans(trx);
        const { rows } = await sql`select from list_details(array(select id from page), now())`.execute(trx);
        expect(rows).toHaveLength(Math.min(limit, 50_000 / nth));
        const after = await readScans(trx);
        expect(after.ofTable).toBe(before.ofTable);
        expect(after.ofIndexes).toBeGreaterThan(before.ofIndexes);
      });
    }
  });

  test('?search= of three letters and more goes by the trigram index', async () => {
    for (const nodes of await explain(countOf('search=crowd4999'))) {
      expect(nodes.map((node) => node['Index Name'])).toContain('users_search_trgm');
    }
  });
});

// A plan that a connection keeps may be made while the tables are all but empty, and must do when they have been filled.
describe.skipIf(!hasServer)('the plan of what is shown of a page, made while hardly anybody was there,', () => {
  test('reads nothing whole', async () => {
    const { db } = await openTestDatabase();
    await db.transaction().execute(async (trx) => {
      const show = () =>
        sql`select from list_details(array(select id from users where list_flags is not null order by id), now())`;
      await sql`set local plan_cache_mode = force_generic_plan`.execute(trx); // as after some wide pages
      await show().execute(trx);
      await sql`
        insert into users (username, is_staff, invited_by_id) select 'late' || n, n <= 500, 1 from generate_series(1, 5000) n`.execute(
        trx,
      );
      const before = await readScans(trx);
      const { rows } = await show().execute(trx);
      expect(rows.length).toBeGreaterThan(500);
      expect((await readScans(trx)).ofTable).toBeLessThanOrEqual(before.ofTable + 1); // the test's own
    });
  });

  test.each([0, 250, 300, 350])('and %d of staff besides, looks each user up by the id', async (staff) => {
    const { db } = await openTestDatabase();
    await sql`insert into users (username, is_staff) select 'some' || n, true from generate_series(1, ${sql.lit(staff)}) n`.execute(
      db,
    );
    const { rows: functions } = await sql<{ source: string; settings: string[] }>`
      select prosrc as source, proconfig as settings from pg_proc where proname = 'list_details'`.execute(db);
    const [{ source, settings }] = functions as [(typeof functions)[number]];
    const [, statement = ''] = /return query(.*order by place);/s.exec(source) ?? [];
    const numbered = statement.replace(/\bids\b/g, '$1').replace(/\bonline_since\b/g, '$2');
    const nodes = await db.transaction().execute(async (trx) => {
      for (const setting of [...settings, 'plan_cache_mode=force_generic_plan']) {
        const [name = '', value = ''] = setting.split('=');
        await sql`set local ${sql.id(name)} = ${sql.raw(value)}`.execute(trx);
      }
      await sql`prepare details (bigint[], timestamptz) as ${sql.raw(numbered)}`.execute(trx);
      const { rows } = await sql<{ 'QUERY PLAN': [{ Plan: Node }] }>`
        explain (format json) execute details ('{1,2,3}', now())`.execute(trx);
      await sql`deallocate details`.execute(trx);
      return flatten((rows[0] as { 'QUERY PLAN': [{ Plan: Node }] })['QUERY PLAN'][0].Plan);
    });
    const byIndex = nodes.map((node) => node['Index Name']).filter((name) => name?.startsWith('users'));
    expect(byIndex.toSorted()).toEqual(['users_invited_by', 'users_pkey', 'users_pkey']);
    expect(nodes.filter((node) => 'Join Filter' in node || node['Node Type'] === 'Materialize')).toEqual([]);
  });
});

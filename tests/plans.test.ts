import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../lib/database/statement.ts';
import { filters } from '../lib/users/filters.ts';
import { selectCount, selectMatching } from '../lib/users/matching.ts';
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

type Node = { 'Node Type': string; 'Relation Name'?: string; 'Index Name'?: string; Plans?: Node[] };

const flatten = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flatten)];

const values: Partial<Record<keyof typeof filters, string>> = {
  id_min: '100',
  id_max: '40000',
  gender: 'other',
  groups_in: '1,2',
  group_id: '1',
};
const filterQueries = (Object.keys(filters) as (keyof typeof filters)[]).map(
  (name) => `${name}=${values[name] ?? (/_(date|from|to)$/.test(name) ? '2026-01-01' : 'false')}`,
);
const orderingQueries = ['id', 'username', 'email', 'gender', 'last_login', 'created_at', 'updated_at'].flatMap(
  (field) => [`ordering=${field}`, `ordering=-${field}`],
);
const rareSearches = ['search=crowd4999', 'search=nobody'];

// PGlite would do, but its planner's statistics take it minutes.
describe.skipIf(!hasServer).each([
  { who: 'few', nth: 50, searches: [...rareSearches, 'search=a', 'search=crowd,4'] },
  // Whoever searches all for what all have has to read all.
  { who: 'all', nth: 1, searches: rareSearches },
])('where $who are listed', ({ nth, searches }) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await openCrowd(nth);
  }, 120_000);

  /** As PostgreSQL plans for the API's role. */
  async function explain(query: { sql: string; parameters: readonly unknown[] }): Promise<Node[]> {
    return database.db.transaction().execute(async (trx) => {
      for (const [name, value] of Object.entries(plannerSettings)) {
        await sql`set local ${sql.id(name)} = ${sql.lit(value)}`.execute(trx);
      }
      const { rows } = await trx.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({
        ...countOf(''),
        ...query,
        sql: `explain (format json) ${query.sql}`,
      });
      return flatten((rows[0] as { 'QUERY PLAN': [{ Plan: Node }] })['QUERY PLAN'][0].Plan);
    });
  }

  test.each(['', ...filterQueries, ...orderingQueries, ...searches])(
    '?%s reads users by index alone, never all of them',
    async (query) => {
      for (const statement of [selectUsers(queryOf(query)), countOf(query)]) {
        const nodes = await explain(statement);
        const onUsers = nodes.filter((node) => node['Relation Name'] === 'users');
        expect(onUsers.length).toBeGreaterThan(0);
        expect(onUsers.filter((node) => node['Node Type'].includes('Seq Scan'))).toEqual([]);
      }
    },
  );

  test.each(['', ...filterQueries.filter((query) => !/^group/.test(query)), 'ordering=-last_login', 'ordering=gender'])(
    '?%s counts in the listing index alone',
    async (query) => {
      const nodes = await explain(countOf(query));
      const onUsers = nodes.filter((node) => node['Relation Name'] === 'users');
      expect(onUsers.map((node) => [node['Node Type'], node['Index Name']])).toEqual([
        ['Index Only Scan', 'users_list'],
      ]);
    },
  );

  test('?search= of three letters and more goes by the trigram index', async () => {
    const nodes = await explain(countOf('search=crowd4999'));
    expect(nodes.map((node) => node['Index Name'])).toContain('users_search_trgm');
  });
});

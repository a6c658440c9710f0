import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../lib/database/statement.ts';
import type { Parameter } from '../lib/parameters.ts';
import { filters } from '../lib/users/filters.ts';
import { selectCount, selectMatching } from '../lib/users/matching.ts';
import { ordering } from '../lib/users/ordering.ts';
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
const orderingQueries = (ordering.schema.items?.enum ?? []).map((key) => `ordering=${key}`);
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

  // Where all are listed, the table is as good as any index for what stands in none.
  const indexedQueries = who === 'few' ? filterQueries : filterQueries.filter((query) => !readsTable(query));

  test.each(['', ...indexedQueries, ...orderingQueries, ...searches])(
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

  const coveredQueries = filterQueries.filter((query) => !/^group/.test(query) && !readsTable(query));

  test.each(['', ...coveredQueries, 'ordering=-last_login', 'ordering=gender'])(
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

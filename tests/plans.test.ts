import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { compile } from '../lib/schema.ts';
import { filters } from '../lib/users/filters.ts';
import { selectCount, selectUsers } from '../lib/users/list.ts';
import { readUserQuery } from '../lib/users/query.ts';
import { hasServer, openTestDatabase, type TestDatabase } from './database.ts';

const window = { onlineWindowSeconds: 300 };
let database: TestDatabase;

// PGlite would do, but its planner's statistics take it minutes.
beforeAll(async () => {
  if (!hasServer) return;
  database = await openTestDatabase();
  await sql`
    insert into users (username, first_name, gender, is_staff, is_active, last_login, email)
    select 'crowd' || n, 'Name' || n, (array['male', 'female', 'other', null])[1 + n % 4], n % 50 = 0, n % 20 <> 0,
           now() - make_interval(mins => n), 'crowd' || n || '@example.com'
    from generate_series(1, 50000) n`.execute(database.db);
  await sql`vacuum analyze`.execute(database.db);
}, 120_000);

type Node = { 'Node Type': string; 'Relation Name'?: string; 'Index Name'?: string; Plans?: Node[] };

const flatten = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flatten)];

async function explain(query: { sql: string; parameters: readonly unknown[] }): Promise<Node[]> {
  const { rows } = await database.db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({
    ...compile(selectCount(readUserQuery(''), window)),
    ...query,
    sql: `explain (format json) ${query.sql}`,
  });
  return flatten((rows[0] as { 'QUERY PLAN': [{ Plan: Node }] })['QUERY PLAN'][0].Plan);
}

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
const searchQueries = ['search=crowd4999', 'search=nobody', 'search=a', 'search=crowd,4'];

test.skipIf(!hasServer).each(['', ...filterQueries, ...orderingQueries, ...searchQueries])(
  '?%s reads users by index alone, never all of them',
  async (query) => {
    const userQuery = readUserQuery(query);
    const lists = (['index', 'kept', 'both'] as const).map((counting) => selectUsers(userQuery, window, counting));
    for (const statement of [...lists, compile(selectCount(userQuery, window))]) {
      const nodes = await explain(statement);
      const onUsers = nodes.filter((node) => node['Relation Name'] === 'users');
      expect(onUsers.length).toBeGreaterThan(0);
      expect(onUsers.filter((node) => node['Node Type'].includes('Seq Scan'))).toEqual([]);
    }
  },
);

test
  .skipIf(!hasServer)
  .each(['', ...filterQueries.filter((query) => !/^group/.test(query)), 'ordering=-last_login', 'ordering=gender'])(
  '?%s counts in the listing index alone',
  async (query) => {
    const nodes = await explain(compile(selectCount(readUserQuery(query), window)));
    const onUsers = nodes.filter((node) => node['Relation Name'] === 'users');
    expect(onUsers.map((node) => [node['Node Type'], node['Index Name']])).toEqual([['Index Only Scan', 'users_list']]);
  },
);

test.skipIf(!hasServer)('?search= of three letters and more goes by the trigram index', async () => {
  const nodes = await explain(compile(selectCount(readUserQuery('search=crowd4999'), window)));
  expect(nodes.map((node) => node['Index Name'])).toContain('users_search_trgm');
});

// The active users of two groups, the last to log in first, page by page: node list-users.ts <base URL> <key>
// Without arguments both are taken from USERS_API_URL and USERS_API_KEY: other processes can read a command line.
import createClient from 'openapi-fetch';
import type { operations, paths } from './api.d.ts';

type Query = NonNullable<operations['listUsers']['parameters']['query']>;

const { USERS_API_URL = 'http://localhost:3000', USERS_API_KEY = '' } = process.env;
const [baseUrl = USERS_API_URL, key = USERS_API_KEY] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Token ${key}` } });

async function readPage(query: Query) {
  const { data, error } = await client.GET('/api/users/', { params: { query } });
  if (error) throw new Error(error.detail);
  return data;
}

let query: Query | undefined = { limit: 2, is_active: true, groups_in: [1, 2], ordering: ['-last_login', 'username'] };
while (query) {
  const page = await readPage(query);
  for (const { username, full_name } of page.results) console.log(`${username}\t${full_name ?? ''}`);
  const next = page.next === null ? null : new URL(page.next).searchParams;
  query = next ? { ...query, offset: Number(next.get('offset')), after: next.get('after') ?? undefined } : undefined;
}

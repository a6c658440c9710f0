import createClient from 'openapi-fetch';
import type { paths } from '../generated/openapi-typescript.d.ts';
import type { Connection, ReadPage } from './walk.ts';

export function toReader({ baseUrl, key }: Connection): ReadPage {
  const client = createClient<paths>({ baseUrl, headers: { Authorization: `Token ${key}` } });
  return async (query) => {
    const { data, error } = await client.GET('/api/users/', { params: { query } });
    if (error) throw new Error(error.detail);
    return data;
  };
}

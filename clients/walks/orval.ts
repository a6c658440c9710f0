import { listUsers } from '../generated/orval.ts';
import { server } from './orval-server.ts';
import type { Connection, ReadPage } from './walk.ts';

export function toReader({ baseUrl, key }: Connection): ReadPage {
  server.baseUrl = baseUrl;
  return async (query) => {
    const { status, data } = await listUsers(query, { headers: { Authorization: `Token ${key}` } });
    if (status !== 200) throw new Error(data.detail);
    return data;
  };
}

import { createClient } from '../generated/hey-api/client';
import { listUsers } from '../generated/hey-api/sdk.gen.ts';
import type { Connection, ReadPage } from './walk.ts';

export function toReader({ baseUrl, key }: Connection): ReadPage {
  const client = createClient({ baseUrl, auth: `Token ${key}` });
  return async (query) => {
    const { data, error } = await listUsers({ client, query });
    if (error) throw new Error(error.detail);
    return data;
  };
}

import { Api, type HttpResponse, type Problem } from '../generated/swagger-typescript-api.ts';
import type { Connection, ReadPage } from './walk.ts';

export function toReader({ baseUrl, key }: Connection): ReadPage {
  const { api } = new Api({ baseUrl, baseApiParams: { headers: { Authorization: `Token ${key}` } } });
  return async (query) => {
    const { data } = await api.listUsers(query).catch((answer: HttpResponse<never, Problem>) => {
      throw new Error(answer.error.detail);
    });
    return data;
  };
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpServer } from './http-server.ts';

/** A page as it is on its way; whoever alters it may do anything to it. */
export type AnyPage = {
  count: number;
  next: string | null;
  previous: string | null;
  results: (Record<string, unknown> & { id: number })[];
};

export type Alterations = {
  /** Of what is asked. */
  query?: (query: URLSearchParams) => unknown;
  /** Of a page; `query` is as it was asked. */
  page?: (page: AnyPage, query: URLSearchParams) => unknown;
  /** An answer in place of the target's: a status, or `silence`. */
  instead?: (query: URLSearchParams) => { status: number; headers?: Record<string, string> } | 'silence' | undefined;
};

/** Stands before another server on loopback as another version of it. `requests` are `GET /api/users/?limit=1`, as they came. */
export async function startAlteringProxy(
  target: string,
  alterations: Alterations,
): Promise<HttpServer & { requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(target, alterations, request, response).catch((error) => response.destroy(error));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(target: string, alterations: Alterations, request: IncomingMessage, response: ServerResponse) {
  const [path = '', rawQuery = ''] = (request.url ?? '').split('?');
  const asked = new URLSearchParams(rawQuery);
  const instead = alterations.instead?.(asked);
  if (instead === 'silence') return;
  if (instead) {
    response.writeHead(instead.status, instead.headers).end();
    return;
  }
  const sent = new URLSearchParams(rawQuery);
  alterations.query?.(sent);
  // As it came where nothing is altered: its bytes may be no text.
  const query = sent.toString() === asked.toString() ? rawQuery : sent.toString();
  const { status, headers, body } = await forward(`${target}${path}${query && `?${query}`}`, request);
  const isPage = status === 200 && request.method === 'GET';
  const page = isPage ? (JSON.parse(body) as AnyPage) : undefined;
  if (page) alterations.page?.(page, asked);
  response.writeHead(status, headers).end(page ? JSON.stringify(page) : body);
}

async function forward(url: string, { method = 'GET', headers: { authorization = '' } }: IncomingMessage) {
  const response = await fetch(url, { method, headers: { authorization }, redirect: 'manual' });
  const kept = ['content-type', 'location', 'x-ignored-parameters'];
  const headers = Object.fromEntries([...response.headers].filter(([name]) => kept.includes(name)));
  return { status: response.status, headers, body: await response.text() };
}

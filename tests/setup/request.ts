import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { expect, vi } from 'vitest';
import type { Handler } from '../../lib/http/gateway.ts';
import type { Page } from '../../lib/page.ts';
import { type Request, toRequest } from '../../lib/request.ts';
import { readUserQuery, type UserQuery } from '../../lib/users/query.ts';
import type { User } from '../../lib/users/user.ts';
import { hasServer } from './database.ts';
import { keys } from './people.ts';

/** What a test cares for of an event; the rest is that of `GET /api/users/` by ann, an admin. */
type Sent = {
  method?: string;
  path?: string;
  query?: string;
  key?: string;
  headers?: Record<string, string>;
  stage?: string;
};

export type Received = {
  status: number;
  headers: Record<string, string>;
  /** As sent, so compressed where the headers say so. */
  bytes: Buffer;
  /** Empty when compressed. */
  text: string;
  json: () => Page<User>;
  problem: () => Problem;
};

type Problem = { type: string; title: string; status: number; detail: string; errors?: Record<string, string[]> };

/** A request for a query of the list, as the stages see it. */
export const requestOf = (rawQuery: string, headers: Request['headers'] = {}): Request =>
  toRequest({
    id: 'request-1',
    method: 'GET',
    path: '/api/users/',
    rawQuery,
    headers,
    baseUrl: 'https://api.example.com',
  });

/** What a query of the list asks for. */
export const queryOf = (rawQuery: string): UserQuery =>
  readUserQuery(requestOf(rawQuery), { onlineWindowSeconds: 300, unknownParameters: 'refuse' });

/** The list's Lambda function with settings of its own. PGlite cannot do named statements. */
export async function loadHandler(databaseUrl: string, environment: Record<string, string> = {}): Promise<Handler> {
  vi.resetModules();
  vi.unstubAllEnvs();
  const all = { DATABASE_URL: databaseUrl, DATABASE_NAMED_STATEMENTS: hasServer ? 'on' : 'off', ...environment };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  const { handler } = await import('../../handlers/users.ts');
  return handler;
}

export function toEvent({
  method = 'GET',
  path = '/api/users/',
  query = '',
  key = keys.ann,
  headers,
  stage = '$default',
}: Sent) {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: stage === '$default' ? path : `/${stage}${path}`,
    rawQueryString: query,
    headers: { authorization: `Token ${key}`, ...headers },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdef1234',
      domainName: 'abcdef1234.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'abcdef1234',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'tests' },
      requestId: 'request-1',
      routeKey: '$default',
      stage,
      time: '21/Feb/2026:07:20:25 +0000',
      timeEpoch: 1771658425338,
    },
    isBase64Encoded: false,
  } satisfies APIGatewayProxyEventV2;
}

export async function send(handler: Handler, sent: Sent = {}): Promise<Received> {
  return receive(handler, toEvent(sent));
}

export async function receive(handler: Handler, event: unknown): Promise<Received> {
  const { statusCode, headers, body = '', isBase64Encoded } = await handler(event);
  const text = isBase64Encoded ? '' : body;
  return {
    status: statusCode as number,
    headers: headers as Record<string, string>,
    bytes: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
    text,
    json: () => JSON.parse(text),
    problem: () => JSON.parse(text),
  };
}

/** From one page's link to the next, fewer pages than so many; the ids of each page, and the query of the last. */
export async function walk(handler: Handler, from: string, link: 'next' | 'previous', mostPages: number) {
  const pages: number[][] = [];
  let end = from;
  for (let query: string | null = from; query !== null; ) {
    expect(pages.length).toBeLessThan(mostPages);
    const { status, text, json } = await send(handler, { query });
    expect(status, text).toBe(200);
    const page = json();
    pages.push(page.results.map(({ id }) => id));
    end = query;
    query = page[link] && new URL(page[link]).search.slice(1);
  }
  return { pages, end };
}

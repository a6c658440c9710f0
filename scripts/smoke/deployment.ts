import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** What is asked: at `https://api.example.com/v1`, whose `basePath` is `/v1`, or empty. `build` is what X-Version is to say. */
export type Deployment = {
  base: string;
  basePath: string;
  key: string;
  build: string;
  origins: string[];
  timeoutMs: number;
};

/** As it came: not decompressed, no redirect followed. */
export type Answer = { status: number; headers: IncomingMessage['headers']; body: Buffer };

/** What was wrong, and what that usually means. */
export type Fault = { saw: string; usually: string };

/** `ask` tells what is wrong, nothing where all is well. */
export type Question = { name: string; ask: (deployment: Deployment) => Promise<Fault[]> };

/** There is nobody to ask. Its message has nothing of the request. */
export class NoAnswer extends Error {}

export const listPath = '/api/users/';

type Sent = { method?: string; headers?: Record<string, string>; isAnonymous?: boolean };

/** Below the base: `/api/users/?limit=1`. Never anywhere else, for the key goes along. */
export async function send(
  { base, key, timeoutMs }: Deployment,
  pathAndQuery: string,
  { method = 'GET', headers = {}, isAnonymous = false }: Sent = {},
): Promise<Answer> {
  // Not fetch: it decompresses, and hides what came.
  const request = base.startsWith('https:') ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const sent = request(`${base}${pathAndQuery}`, {
      method,
      headers: {
        'Accept-Encoding': 'identity',
        'User-Agent': 'users-api-smoke',
        ...(!isAnonymous && { Authorization: `Token ${key}` }),
        ...headers,
      },
      agent: false, // a connection each, so that none is found closed
      signal,
    });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) };
  } catch (error) {
    throw new NoAnswer(signal.aborted ? `No answer within ${timeoutMs / 1000} s.` : `No answer: ${toCode(error)}.`);
  }
}

/** `ECONNREFUSED`; where a name has several addresses, that of the first. */
function toCode(error: unknown): string {
  if (error instanceof AggregateError) return toCode(error.errors[0]);
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}

/** A body of JSON, also one that somebody has compressed; undefined where it is none. */
export function readJson({ headers, body }: Answer): Record<string, unknown> | undefined {
  const decompress = decompressors[headers['content-encoding'] ?? ''];
  try {
    const value: unknown = JSON.parse((decompress ? decompress(body) : body).toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export const decompressors: Record<string, (bytes: Buffer) => Buffer> = { gzip: gunzipSync, br: brotliDecompressSync };

/** The function names its build in each of its answers, nobody else does. */
export const isOurs = ({ headers }: Answer): boolean => headers['x-version'] !== undefined;

/** `403 of the gateway: Forbidden`, or the problem's detail; no data of anybody. */
export function describeAnswer(answer: Answer): string {
  const { detail, message } = readJson(answer) ?? {};
  const said = typeof detail === 'string' ? detail : message;
  const who = isOurs(answer) ? 'the API' : 'something before the API (it has no X-Version)';
  return `${answer.status} of ${who}${typeof said === 'string' ? `: ${said.replace(/\.$/, '')}` : ''}`;
}

import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { describeError, type RequestLog, writeLog } from '../log.ts';
import type { Links } from '../page.ts';
import { type Compressed, encode, type Text } from './compression.ts';
import { HttpError, internalServerError, methodNotAllowed, notFound, tooLarge } from './errors.ts';
import { mediaTypes } from './negotiation.ts';

export type Request = {
  /** The gateway's, also in the answer's X-Request-Id and in the log. */
  id: string;
  method: string;
  /** Without the stage. */
  path: string;
  /** Byte for byte as sent, without the question mark. */
  rawQuery: string;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  /** What clients put before the path: `https://api.example.com`, or with a stage `https://…amazonaws.com/dev`. */
  baseUrl: string;
  /** What the stages have to say to the log. */
  log: RequestLog;
  /** Times a stage of the request for Server-Timing and the log. */
  time: <Result>(stage: string, run: () => Promise<Result>) => Promise<Result>;
};

export type Response = { status: number; headers: Record<string, string>; body: Text | Compressed };

export type Handler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

const allowedMethods = 'GET, HEAD, OPTIONS';

/** Lambda's limit for an answer is 6 MB; some of it is for the headers. */
const maxResultBytes = 6_200_000;

export const ok = (json: Text, links?: Links): Response => ({
  status: 200,
  headers: { 'Content-Type': mediaTypes.json, ...(links && { Link: toLinkHeader(links) }) },
  body: json,
});

/** A CSV text as a file to save: `users-2026-02-21.csv` for the name `users`. Without links it is all there is. */
export const csvFile = (name: string, text: string, links?: Links): Response => ({
  status: 200,
  headers: {
    'Content-Type': `${mediaTypes.csv}; charset=utf-8; header=present`,
    'Content-Disposition': `attachment; filename="${name}-${new Date().toISOString().slice(0, 10)}.csv"`,
    ...(links && { Link: toLinkHeader(links) }),
  },
  body: text,
});

/** A file of the build. `tag` is its version, for clients that have it already (RFC 9110, 13.1.2): a 304 then. */
export function file(request: Request, tag: string, headers: Record<string, string>, body: Compressed): Response {
  const etag = `W/"${tag}"`; // weak: one for all encodings
  const isKnown = (request.headers['if-none-match'] ?? '').split(',').some((known) => known.trim() === etag);
  return isKnown
    ? { status: 304, headers: { ...headers, ETag: etag }, body: '' }
    : { status: 200, headers: { ...headers, ETag: etag }, body };
}

/** RFC 8288: `<https://…>; rel="next", <https://…>; rel="last"`. */
const toLinkHeader = (links: Links): string =>
  Object.entries(links)
    .flatMap(([relation, url]) => (url === null ? [] : `<${url}>; rel="${relation}"`))
    .join(', ');

/** `routes` with one path. */
export function route(
  path: string,
  settings: { publicUrl: string | undefined },
  answer: (request: Request) => Promise<Response>,
): Handler {
  return routes([path], settings, answer);
}

/**
 * A Lambda function that answers GET and HEAD at the paths, OPTIONS, the redirect of a path without its slash to the one that ends in it,
 * and everything else with an error. It never throws, and writes one line to the log.
 */
export function routes(
  paths: readonly string[],
  settings: { publicUrl: string | undefined },
  answer: (request: Request) => Promise<Response>,
): Handler {
  return async (event) => {
    const start = performance.now();
    const request = toRequest(event, settings.publicUrl);
    const { log } = request;
    const response = await dispatch(request, paths, answer).catch((error: unknown) => toProblem(request, error));
    log.durationsMs['total'] = millisecondsSince(start);
    const whole = toResult(request, response);
    const result = isWithinLimit(whole) ? whole : toResult(request, toProblem(request, tooLarge()));
    log.status = result.statusCode as number;
    writeLog(log);
    return result;
  };
}

async function dispatch(
  request: Request,
  paths: readonly string[],
  answer: (request: Request) => Promise<Response>,
): Promise<Response> {
  const { method } = request;
  const path = [request.path, `${request.path}/`].find((path) => paths.includes(path));
  if (path === undefined) throw notFound();
  request.log.route = path;
  if (method === 'OPTIONS') return { status: 204, headers: { Allow: allowedMethods }, body: '' };
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method, allowedMethods);
  if (request.path !== path) return toRedirect(request, path);
  return answer(request);
}

function toRedirect({ baseUrl, rawQuery }: Request, path: string): Response {
  const query = rawQuery === '' ? '' : `?${toHeaderText(rawQuery)}`;
  return {
    status: 301,
    headers: { Location: `${new URL(baseUrl).pathname.replace(/\/$/, '')}${path}${query}` },
    body: '',
  };
}

/** What a header cannot carry, percent-encoded; a query that came over HTTP has none of it. */
const toHeaderText = (text: string): string => text.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);

function toProblem(request: Request, error: unknown): Response {
  const problem = error instanceof HttpError ? error : internalServerError(request.id, error);
  if (problem.status >= 500) request.log.error = describeError(problem.cause, { expected: error === problem });
  const { status, title, detail, errors, headers } = problem;
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
    body: JSON.stringify({ type: 'about:blank', title, status, detail, errors }),
  };
}

function toRequest(event: APIGatewayProxyEventV2, publicUrl: string | undefined): Request {
  const { http, requestId, domainName, stage } = event.requestContext;
  // The default stage has no part in the path; any other comes first in it.
  const stagePrefix = stage && stage !== '$default' ? `/${stage}` : '';
  const path = event.rawPath.startsWith(`${stagePrefix}/`) ? event.rawPath.slice(stagePrefix.length) : event.rawPath;
  const log: RequestLog = { requestId, durationsMs: {} };
  return {
    id: requestId,
    method: http.method,
    path,
    rawQuery: event.rawQueryString ?? '',
    headers: event.headers ?? {},
    baseUrl: publicUrl ?? `https://${domainName}${stagePrefix}`,
    log,
    async time(stage, run) {
      const start = performance.now();
      try {
        return await run();
      } finally {
        log.durationsMs[stage] = millisecondsSince(start);
      }
    },
  };
}

/** Of `performance.now()`, to a tenth. */
const millisecondsSince = (start: number): number => Math.round((performance.now() - start) * 10) / 10;

const toServerTiming = (durationsMs: Record<string, number>): string =>
  Object.entries(durationsMs)
    .map(([stage, duration]) => `${stage};dur=${duration.toFixed(1)}`)
    .join(', ');

function toResult(request: Request, response: Response): APIGatewayProxyStructuredResultV2 {
  const { body, bytes, encoding, varies } = encode(response.body, request.headers['accept-encoding']);
  const headers: Record<string, string> = {
    'Cache-Control': 'no-store', // personal data
    ...response.headers,
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': request.id,
    'Server-Timing': toServerTiming(request.log.durationsMs),
  };
  if (varies) headers['Vary'] = 'Accept-Encoding';
  if (encoding) headers['Content-Encoding'] = encoding;
  if (!bodiless.has(response.status)) headers['Content-Length'] = String(bytes);
  if (request.method === 'HEAD') return { statusCode: response.status, headers, body: '' };
  return {
    statusCode: response.status,
    headers,
    body: typeof body === 'string' ? body : body.toString('base64'),
    isBase64Encoded: typeof body !== 'string',
  };
}

/** RFC 9110, 8.6: a 204 has no Content-Length, and a 304 would have that of the body it spares. */
const bodiless = new Set([204, 304]);

/** Counts the bytes of a body only when it may have too many: a UTF-16 unit is at most three. */
const isWithinLimit = ({ body = '' }: APIGatewayProxyStructuredResultV2): boolean =>
  body.length * 3 <= maxResultBytes || Buffer.byteLength(body) <= maxResultBytes;

import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { HttpError, internalServerError, methodNotAllowed, notFound } from './errors.ts';
import { describeError, type RequestLog, writeLog } from './log.ts';

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

export type Response = { status: number; headers: Record<string, string>; body: string };

export type Handler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

const allowedMethods = 'GET, HEAD, OPTIONS';

/** Smaller bodies fit into the packets that are sent anyway. */
const compressFromBytes = 1024;

export const ok = (body: unknown): Response => ({
  status: 200,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

/**
 * A Lambda function that answers GET and HEAD at `path` (which ends in a slash), OPTIONS, the redirect of the path without its slash,
 * and everything else with an error. It never throws, and writes one line to the log.
 */
export function route(
  path: string,
  settings: { publicUrl: string | undefined },
  answer: (request: Request) => Promise<Response>,
): Handler {
  return async (event) => {
    const start = performance.now();
    const request = toRequest(event, settings.publicUrl);
    const { log } = request;
    const response = await dispatch(request, path, answer).catch((error: unknown) => toProblem(request, error));
    log.durationsMs['total'] = millisecondsSince(start);
    log.status = response.status;
    writeLog(log);
    response.headers['Server-Timing'] = toServerTiming(log.durationsMs);
    return toResult(request, response);
  };
}

async function dispatch(
  request: Request,
  path: string,
  answer: (request: Request) => Promise<Response>,
): Promise<Response> {
  const { method } = request;
  const withoutSlash = path.slice(0, -1);
  if (request.path !== path && request.path !== withoutSlash) throw notFound();
  request.log.route = path;
  if (method === 'OPTIONS') return { status: 204, headers: { Allow: allowedMethods }, body: '' };
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method, allowedMethods);
  if (request.path === withoutSlash) return toRedirect(request, path);
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
  const headers: Record<string, string> = {
    ...response.headers,
    'Cache-Control': 'no-store', // personal data
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': request.id,
  };
  let body = Buffer.from(response.body);
  let isBase64Encoded = false;
  if (body.length > compressFromBytes) {
    headers['Vary'] = 'Accept-Encoding';
    const encoding = chooseEncoding(request.headers['accept-encoding']);
    if (encoding) {
      headers['Content-Encoding'] = encoding;
      body = encoders[encoding](body);
      isBase64Encoded = true;
    }
  }
  if (response.status !== 204) headers['Content-Length'] = String(body.length);
  if (request.method === 'HEAD') return { statusCode: response.status, headers, body: '' };
  return {
    statusCode: response.status,
    headers,
    body: isBase64Encoded ? body.toString('base64') : response.body,
    isBase64Encoded,
  };
}

type Encoding = 'br' | 'gzip';

const encoders: Record<Encoding, (body: Buffer) => Buffer<ArrayBuffer>> = {
  br: (body) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (body) => gzipSync(body),
};

/** The encoding that `Accept-Encoding` (RFC 9110, 12.5.3) prefers; br where it prefers neither. */
function chooseEncoding(accept = ''): Encoding | undefined {
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    weights.set(coding, weight === undefined ? 1 : Number(weight) || 0);
  }
  const weightOf = (encoding: Encoding) => weights.get(encoding) ?? weights.get('*') ?? 0;
  const best = weightOf('gzip') > weightOf('br') ? 'gzip' : 'br';
  return weightOf(best) > 0 ? best : undefined;
}

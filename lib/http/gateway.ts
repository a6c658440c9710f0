import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Request, Response } from '../request.ts';
import { version } from '../version.ts';
import { encode } from './compression.ts';

/** What Lambda hands on to an HTTP API or a REST API, whichever asked. */
export type Result = APIGatewayProxyStructuredResultV2;

/** A Lambda function behind an API Gateway; an event may come from anywhere else. */
export type Handler = (event: unknown) => Promise<Result>;

const toServerTiming = (durationsMs: Request['durationsMs']): string =>
  Object.entries(durationsMs)
    .map(([stage, duration]) => `${stage};dur=${duration.toFixed(1)}`)
    .join(', ');

/** The answer to GET; to HEAD it goes without its body. A body that is not compressed is text, one that is base64. */
export function toResult(request: Request, response: Response): Result {
  const { body, bytes, encoding, varies } = encode(response.body, request.headers['accept-encoding']);
  const headers: Record<string, string> = {
    'Cache-Control': 'no-store', // personal data
    ...response.headers,
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': request.id,
    'Server-Timing': toServerTiming(request.durationsMs),
    'X-Version': version,
  };
  const { ignoredParameters } = request.facts;
  if (ignoredParameters) headers['X-Ignored-Parameters'] = ignoredParameters.join(', ');
  if (varies) headers['Vary'] = 'Accept-Encoding';
  if (encoding) headers['Content-Encoding'] = encoding;
  if (!bodiless.has(response.status)) headers['Content-Length'] = String(bytes);
  return {
    statusCode: response.status,
    headers,
    body: typeof body === 'string' ? body : body.toString('base64'),
    isBase64Encoded: typeof body !== 'string',
  };
}

/** RFC 9110, 8.6: a 204 has no Content-Length, and a 304 would have that of the body it spares. */
const bodiless = new Set([204, 304]);

export const withoutBody = (result: Result): Result => ({ ...result, body: '', isBase64Encoded: false });

/** Lambda's quota for what a function returns, as the runtime hands it over: JSON in UTF-8. */
const maxResultBytes = 6_291_556;

/** Of all headers, as JSON: more than they ever have. */
const headersLength = 10_000;

/** Makes the JSON only where it may have too many bytes: base64 has one a character, text one to six a UTF-16 unit (`\u001f`). */
export function isWithinLimit(result: Result): boolean {
  const { length } = result.body ?? '';
  if (length > maxResultBytes) return false;
  const mostBytes = (length + headersLength) * (result.isBase64Encoded ? 1 : 6);
  return mostBytes <= maxResultBytes || Buffer.byteLength(JSON.stringify(result)) <= maxResultBytes;
}

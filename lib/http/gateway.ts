import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Request, Response } from '../request.ts';
import { encode } from './compression.ts';

/** What Lambda hands on to an HTTP API or a REST API, whichever asked. */
export type Result = APIGatewayProxyStructuredResultV2;

/** A Lambda function behind an API Gateway; an event may come from anywhere else. */
export type Handler = (event: unknown) => Promise<Result>;

const toServerTiming = (durationsMs: Request['durationsMs']): string =>
  Object.entries(durationsMs)
    .map(([stage, duration]) => `${stage};dur=${duration.toFixed(1)}`)
    .join(', ');

/** A body that is not compressed is text, one that is base64. */
export function toResult(request: Request, response: Response): Result {
  const { body, bytes, encoding, varies } = encode(response.body, request.headers['accept-encoding']);
  const headers: Record<string, string> = {
    'Cache-Control': 'no-store', // personal data
    ...response.headers,
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': request.id,
    'Server-Timing': toServerTiming(request.durationsMs),
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

/** Lambda's limit for an answer is 6 MB; some of it is for the headers. */
const maxResultBytes = 6_200_000;

/** Counts the bytes of a body only when it may have too many: a UTF-16 unit is at most three. */
export const isWithinLimit = ({ body = '' }: Result): boolean =>
  body.length * 3 <= maxResultBytes || Buffer.byteLength(body) <= maxResultBytes;

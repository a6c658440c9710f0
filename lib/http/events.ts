import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';
import { type Request, toRequest } from '../request.ts';

/** What both payloads say, each in its own words. */
type Sent = Pick<Request, 'id' | 'method' | 'path' | 'rawQuery' | 'headers'> & {
  domainName: string | undefined;
  stage: string;
};

/**
 * The request of an API Gateway, be it an HTTP API (payload 2.0) or a REST API (1.0); undefined for any other event. `publicUrl` stands before
 * the path in links; without it the gateway's own domain and stage do.
 */
export function readEvent(event: unknown, publicUrl: string | undefined): Request | undefined {
  if (!isObject(event) || !isObject(event['requestContext'])) return undefined;
  const sent = isObject(event['requestContext']['http']) ? readHttpApi(event) : readRestApi(event);
  const { id, method, path, rawQuery, headers, domainName, stage } = sent;
  // A load balancer's has no id and no stage, a web socket's no method and no path.
  if (![id, method, path, rawQuery, domainName, stage].every(isText)) return undefined;

  // The default stage has no part in the path; any other may come first in it, and so may the key of a custom domain's API mapping.
  const stagePrefix = stage && stage !== '$default' ? `/${stage}` : '';
  const mappingPrefix = publicUrl?.match(/^https?:\/\/[^/]+(\/.+)/)?.[1] ?? '';
  return toRequest({
    id,
    method,
    path: [stagePrefix, mappingPrefix].reduce(withoutPrefix, path),
    rawQuery,
    headers,
    baseUrl: publicUrl ?? `https://${domainName}${stagePrefix}`,
  });
}

/** What every path of ours begins with; so a stage or a key that is itself called `api` is told from it. */
const root = '/api/';

const withoutPrefix = (path: string, prefix: string): string =>
  path.startsWith(`${prefix}${root}`) ? path.slice(prefix.length) : path;

/** Nobody has looked yet whether it is one: any part may be missing, or be something else. */
function readHttpApi(event: object): Sent {
  const { requestContext, rawPath, rawQueryString, headers } = event as APIGatewayProxyEventV2;
  const { http, requestId, domainName, stage } = requestContext;
  const { method } = http;
  return {
    id: requestId,
    method,
    path: rawPath,
    rawQuery: rawQueryString ?? '',
    headers: toHeaders(headers),
    domainName,
    stage,
  };
}

/** Likewise. */
function readRestApi(event: object): Sent {
  const { requestContext, httpMethod, path, headers, multiValueHeaders, ...query } = event as APIGatewayProxyEvent;
  const { requestId, domainName, stage } = requestContext;
  return {
    id: requestId,
    method: httpMethod,
    path,
    rawQuery: toRawQuery(query.multiValueQueryStringParameters ?? query.queryStringParameters),
    headers: toHeaders(multiValueHeaders ?? headers),
    domainName,
    stage,
  };
}

/** Names in lower case; a header that came several times is joined, as HTTP APIs do. A loop, because each request comes by. */
function toHeaders(headers: unknown): Request['headers'] {
  const read: Request['headers'] = {};
  if (!isObject(headers)) return read;
  for (const name in headers) {
    const value = headers[name];
    read[name.toLowerCase()] = isText(value) ? value : toTexts(value).join(',');
  }
  return read;
}

/** The gateway has decoded names and values. */
function toRawQuery(parameters: unknown): string {
  const encode = (text: string) => encodeURIComponent(text.toWellFormed());
  return Object.entries(parameters ?? {})
    .flatMap(([name, values]) => toTexts(values).map((value) => `${encode(name)}=${encode(value)}`))
    .join('&');
}

/** Of one or several values; what is no text is left out. */
const toTexts = (values: unknown): string[] => [values].flat().filter(isText);

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isText = (value: unknown): value is string => typeof value === 'string';

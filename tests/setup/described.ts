import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import type { DocumentedParameter } from './parameter-values.ts';
import type { Received } from './request.ts';

type Described = { parameters: DocumentedParameter[]; responses: Record<string, Answer> };
type Operation = Described & { 'x-csv': Described };
export type Answer = {
  headers?: Record<string, { required?: boolean; schema: object }>;
  content?: Record<string, MediaType>;
};
type MediaType = { schema: object; example?: unknown; examples?: Record<string, { value: unknown }> };
type Document = {
  info: { description: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties?: Record<string, object> }> };
};

export const committed = JSON.parse(readFileSync('openapi.json', 'utf8')) as Document;

/** The document's only operation, with whole schemas in place of references. */
export const listUsers = resolve(committed).paths['/api/users/']?.['get'] as Operation;

const { Link, ...everyHeader } = listUsers.responses[200]?.headers ?? {};
const problem = { headers: everyHeader, content: listUsers.responses[400]?.content ?? {} };
const allow = { required: true, schema: { const: 'GET, HEAD, OPTIONS' } };

export const csv = listUsers['x-csv'];

/** The answers that the document has in prose, because no client calls for them. */
export const inProse: Record<number, Answer> = {
  204: { headers: { ...everyHeader, Allow: allow } },
  301: { headers: { ...everyHeader, Location: { required: true, schema: { pattern: '^/api/users/(\\?|$)' } } } },
  404: problem,
  405: { ...problem, headers: { ...everyHeader, Allow: allow } },
  414: problem,
};

function resolve<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(resolve) as Value;
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value) {
    const path = String(value.$ref).split('/').slice(1);
    return resolve(path.reduce((node, name) => (node as Record<string, unknown>)[name], committed as unknown)) as Value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each)])) as Value;
}

const ajv = new Ajv2020({ strictTypes: false, allErrors: true });
formats.default(ajv);
const validators = new Map<object, ValidateFunction>();

export function requireValid(schema: object, value: unknown, what: string): void {
  const isValid = validators.get(schema) ?? ajv.compile(schema);
  validators.set(schema, isValid);
  expect(isValid(value) ? [] : isValid.errors, `${what}: ${JSON.stringify(value)?.slice(0, 300)}`).toEqual([]);
}

/** HTTP's own, and of any answer that has a body: OpenAPI leaves the first to `content`. */
const ownOfHttp = new Set(['Content-Type', 'Content-Length', 'Content-Encoding', 'Vary']);

/** Holds an answer against the one of its status that is described: every header, the body, to HEAD none. */
export function requireDescribed(
  answers: Record<number, Answer>,
  received: Received,
  { method = 'GET', what }: { method?: string | undefined; what: string },
): void {
  const { status, headers, bytes } = received;
  const answer = answers[status];
  if (!answer) throw new Error(`${what}: no ${status} is described, only ${Object.keys(answers)}`);
  const described = answer.headers ?? {};
  for (const [name, { required, schema }] of Object.entries(described)) {
    if (required || headers[name] !== undefined) requireValid(schema, headers[name], `${what}: ${name}`);
  }
  const undescribed = Object.keys(headers).filter((name) => !ownOfHttp.has(name) && !Object.hasOwn(described, name));
  expect(undescribed, what).toEqual([]);
  if (!answer.content || method === 'HEAD') {
    expect(bytes.length, what).toBe(0);
    return;
  }
  const mediaType = headers['Content-Type']?.split(';')[0] ?? '';
  expect(Object.keys(answer.content), what).toContain(mediaType);
  const text = decompress(received);
  const body = mediaType === 'text/csv' ? text : JSON.parse(text);
  requireValid((answer.content[mediaType] as MediaType).schema, body, what);
  if (mediaType === 'application/problem+json') expect(body.status, what).toBe(status);
}

export function decompress({ headers, bytes }: Received): string {
  const encoding = headers['Content-Encoding'];
  if (encoding === 'br') return brotliDecompressSync(bytes).toString();
  return (encoding === 'gzip' ? gunzipSync(bytes) : bytes).toString();
}

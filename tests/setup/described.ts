import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import type { DocumentedParameter } from './parameter-values.ts';
import type { Received } from './request.ts';

export type Operation = { responses: Record<string, Answer> };
type Answer = { headers?: Record<string, { required?: boolean; schema: object }>; content?: Record<string, MediaType> };
type MediaType = { schema: object; example?: unknown; examples?: Record<string, { value: unknown }> };
type Path = { parameters?: DocumentedParameter[] } & Record<'get' | 'head' | 'options', Operation>;
type Document = {
  paths: Record<'/api/users/' | '/api/users', Path>;
  components: { schemas: Record<string, { properties?: Record<string, object> }> };
};

export const committed = JSON.parse(readFileSync('openapi.json', 'utf8')) as Document;

/** The document's paths, with whole schemas in place of references. */
export const { paths } = resolve(committed);

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

/** Holds an answer against what the document says of its operation: the status, every header, the body. */
export function requireDescribed(operation: Operation, received: Received, what: string): void {
  const { status, headers, bytes } = received;
  const answer = operation.responses[status];
  if (!answer) throw new Error(`${what}: the document has no ${status}, only ${Object.keys(operation.responses)}`);
  const described = answer.headers ?? {};
  for (const [name, { required, schema }] of Object.entries(described)) {
    if (required || headers[name] !== undefined) requireValid(schema, headers[name], `${what}: ${name}`);
  }
  const undescribed = Object.keys(headers).filter((name) => !ownOfHttp.has(name) && !Object.hasOwn(described, name));
  expect(undescribed, what).toEqual([]);
  if (!answer.content) {
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

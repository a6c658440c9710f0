import { distance } from 'fastest-levenshtein';
import { badRequest, type ParameterErrors } from './http/errors.ts';
import type { Request } from './request.ts';

/** The part of an OpenAPI Schema Object that query parameters need. */
export type Schema = {
  type: 'boolean' | 'integer' | 'string' | 'array';
  format?: 'date' | 'int64';
  enum?: readonly string[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  items?: Schema;
  default?: unknown;
};

/** A kind of query value: what it looks like, and how its text becomes a value. `read` throws Malformed. */
export type Kind<Value> = { schema: Schema; read: (text: string) => Value };

/** A documented parameter: a kind and the sentence that tells users what it does. */
export type Parameter<Value> = Kind<Value> & { doc: string };

type Values<Parameters> = {
  [Name in keyof Parameters]?: Parameters[Name] extends Kind<infer Value> ? Value : never;
};

/** A value that is not of its kind. The message says what was expected and ends in a full stop. */
export class Malformed extends Error {}

export const flag: Kind<boolean> = {
  schema: { type: 'boolean' },
  read(text) {
    if (/^(true|1)$/i.test(text)) return true;
    if (/^(false|0)$/i.test(text)) return false;
    throw new Malformed('Expected true, false, 1 or 0.');
  },
};

/** Whole numbers; without a `maximum` one that JavaScript holds only roughly is read all the same. */
export function integer({ minimum, maximum }: { minimum: number; maximum?: number }): Kind<number> {
  const range = maximum === undefined ? `at least ${minimum}` : `from ${minimum} to ${maximum}`;
  return {
    schema: { type: 'integer', format: 'int64', minimum, ...(maximum !== undefined && { maximum }) },
    read(text) {
      const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (value >= minimum && value <= (maximum ?? Number.POSITIVE_INFINITY)) return value;
      throw new Malformed(`Expected a whole number, ${range}.`);
    },
  };
}

/** Every integer that survives a JavaScript number. */
export const safeInteger = integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });

/** A calendar day, as its own text: `2026-02-21`. */
export const day: Kind<string> = {
  schema: { type: 'string', format: 'date' },
  read(text) {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text) && isCalendarDay(text)) return text;
    throw new Malformed('Expected a calendar day as YYYY-MM-DD, from 0001-01-01 to 9999-12-31.');
  },
};

/** Free text; of the control characters only white space may occur. `maxLength` counts Unicode code points. */
export function text({ maxLength }: { maxLength: number }): Kind<string> {
  return {
    schema: { type: 'string', maxLength },
    read(text) {
      const { length } = [...text];
      if (length > maxLength) throw new Malformed(`Expected at most ${maxLength} characters; this has ${length}.`);
      if (/[^\P{Cc}\p{White_Space}]/u.test(text)) throw new Malformed('Expected text without control characters.');
      return text;
    },
  };
}

export function oneOf<const Value extends string>(
  values: readonly Value[],
  { anyCase = false }: { anyCase?: boolean } = {},
): Kind<Value> {
  return {
    schema: { type: 'string', enum: values },
    read(text) {
      const value = values.find((value) => value === (anyCase ? text.toLowerCase() : text));
      if (value !== undefined) return value;
      throw new Malformed(`Expected one of: ${values.join(', ')}.`);
    },
  };
}

/** Values of one kind, separated by commas, with spaces around them if one likes. */
export function listOf<Value>(kind: Kind<Value>, { maxItems }: { maxItems: number }): Kind<Value[]> {
  return {
    schema: { type: 'array', items: kind.schema, maxItems },
    read(text) {
      const items = text.split(',');
      if (items.length > maxItems) {
        throw new Malformed(`Expected at most ${maxItems} values, separated by commas; these are ${items.length}.`);
      }
      return items.map((item, index) => {
        try {
          return kind.read(item.replace(/^ +| +$/g, ''));
        } catch (error) {
          throw error instanceof Malformed
            ? new Malformed(`Value ${index + 1} of ${items.length}: ${error.message}`)
            : error;
        }
      });
    },
  };
}

/**
 * Reads a request's query by a table of parameters. An empty value counts as not given.
 * Returns the values, and the texts they were read from in the order given.
 * Throws a 400 that holds every fault of the query.
 */
export function readParameters<Parameters extends Record<string, Kind<unknown>>>(
  request: Pick<Request, 'rawQuery' | 'note'>,
  parameters: Parameters,
): { values: Values<Parameters>; given: ReadonlyMap<string, string> } {
  // Maps, because names are the client's: `__proto__` must be one like any other.
  const given = new Map<string, string>();
  const values = new Map<string, unknown>();
  const errors = new Map<string, string[]>();

  const pairs = readPairs(request.rawQuery);
  request.note({ parameters: [...pairs.keys()].filter((name) => Object.hasOwn(parameters, name)) });
  for (const [name, texts] of pairs) {
    try {
      const text = requireOne(texts);
      if (!Object.hasOwn(parameters, name))
        throw new Malformed(`Unknown parameter. Did you mean "${nearest(name, parameters)}"?`);
      if (text === '') continue;
      values.set(name, (parameters[name] as Kind<unknown>).read(text));
      given.set(name, text);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      errors.set(name, [error.message]);
    }
  }
  if (errors.size > 0) throw badRequest(Object.fromEntries(errors) as ParameterErrors);
  return { values: Object.fromEntries(values) as Values<Parameters>, given };
}

/** `a=1&b=&a=2` → a: 1, 2; b: ''. A text that is not percent-encoded UTF-8 is null. */
function readPairs(rawQuery: string): Map<string, (string | null)[]> {
  const pairs = new Map<string, (string | null)[]>();
  for (const piece of rawQuery.split('&').filter((piece) => piece !== '')) {
    const [rawName = '', ...rest] = piece.split('=');
    const name = decode(rawName) ?? rawName.toWellFormed();
    const texts = pairs.get(name) ?? [];
    texts.push(decode(rest.join('=')));
    pairs.set(name, texts);
  }
  return pairs;
}

function decode(encoded: string): string | null {
  try {
    const text = decodeURIComponent(encoded.replaceAll('+', ' '));
    return text.isWellFormed() ? text : null;
  } catch {
    return null;
  }
}

function requireOne(texts: (string | null)[]): string {
  const given = texts.filter((text) => text !== '');
  if (given.length > 1) throw new Malformed(`Expected one value; it is given ${given.length} times.`);
  const [text = ''] = given;
  if (text === null) throw new Malformed('Expected percent-encoded UTF-8.');
  return text;
}

function nearest(name: string, parameters: Record<string, unknown>): string {
  // A name longer than any of ours tells no more by its tail, and the distance costs time by the length.
  const start = name.slice(0, 50);
  const [first = '', ...others] = Object.keys(parameters);
  return others.reduce((best, other) => (distance(start, other) < distance(start, best) ? other : best), first);
}

function isCalendarDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) && text >= '0001-01-01';
}

import { distance } from 'fastest-levenshtein';
import { badRequest, type ParameterErrors } from './http/errors.ts';
import { type Kind, Malformed } from './kinds.ts';
import type { Request } from './request.ts';

/** A documented parameter: a kind of value and the sentence that tells users what it does. */
export type Parameter<Value> = Kind<Value> & { doc: string };

type Values<Parameters> = {
  [Name in keyof Parameters]?: Parameters[Name] extends Kind<infer Value> ? Value : never;
};

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

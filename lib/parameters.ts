import { distance } from 'fastest-levenshtein';
import { badRequest, type ParameterErrors } from './http/errors.ts';
import { isList, type Kind, Malformed, toForm } from './kinds.ts';
import { readPairs } from './pairs.ts';
import type { Request } from './request.ts';
import { toLoggedName } from './unknown-names.ts';

/** A documented parameter: a kind of value and the sentence that tells users what it does. */
export type Parameter<Value> = Kind<Value> & {
  doc: string;
  /** What other APIs call it. */
  alsoCalled?: readonly string[];
  /** Its values come from links alone, so nobody who mistypes a name means it. */
  isOfLinks?: boolean;
};

type Parameters = Record<string, Parameter<unknown>>;

/** What becomes of a parameter that is not in the table: a 400, or nothing but its name in the log and in `X-Ignored-Parameters`. */
export type ForUnknown = { unknownParameters: 'refuse' | 'report' };

type Values<Table> = {
  [Name in keyof Table]?: Table[Name] extends Kind<infer Value> ? Value : never;
};

/**
 * Reads a request's query by a table of parameters. An empty value counts as not given.
 * Returns the values, and the texts they were read from in the order given.
 * Throws a 400 that holds every fault of the query.
 */
export function readParameters<Table extends Parameters>(
  request: Pick<Request, 'rawQuery' | 'note'>,
  parameters: Table,
  { unknownParameters }: ForUnknown,
): { values: Values<Table>; given: ReadonlyMap<string, string> } {
  // Maps, because names are the client's: `__proto__` must be one like any other.
  const given = new Map<string, string>();
  const values = new Map<string, unknown>();
  const errors = new Map<string, string[]>();

  const pairs = readPairs(request.rawQuery);
  noteNames(request, [...pairs.keys()], parameters, unknownParameters);
  for (const [name, texts] of pairs) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (!parameter && unknownParameters === 'report') continue;
    try {
      if (!parameter) throw toUnknown(name, parameters);
      const text = readText(texts, parameter);
      if (text === '') continue;
      values.set(name, parameter.read(text));
      given.set(name, text);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      errors.set(name, [
        parameter && isList(parameter) ? `${error.message} ${toForm(name, parameter)}` : error.message,
      ]);
    }
  }
  if (errors.size > 0) throw badRequest(Object.fromEntries(errors) as ParameterErrors);
  return { values: Object.fromEntries(values) as Values<Table>, given };
}

function noteNames(
  { note }: Pick<Request, 'note'>,
  names: string[],
  parameters: Parameters,
  unknownParameters: ForUnknown['unknownParameters'],
): void {
  const unknown = names.filter((name) => !Object.hasOwn(parameters, name));
  note({ parameters: names.filter((name) => Object.hasOwn(parameters, name)) });
  if (unknown.length === 0) return;
  const ours = new Set(Object.entries(parameters).flatMap(([name, { alsoCalled = [] }]) => [name, ...alsoCalled]));
  const logged = [...new Set(unknown.map((name) => toLoggedName(name, ours)))];
  note(unknownParameters === 'report' ? { ignoredParameters: logged } : { unknownParameters: logged });
}

/** A client that sends its parameters along with `next` gives them twice; one that cannot write lists repeats their names. */
function readText(texts: (string | null)[], parameter: Kind<unknown>): string {
  const different = new Set(texts.filter((text) => text !== ''));
  if (different.has(null)) throw new Malformed('Expected percent-encoded UTF-8.');
  if (different.size > 1 && !isList(parameter)) {
    throw new Malformed(`Expected one value; ${different.size} different ones are given.`);
  }
  return [...different].join();
}

/** What a client is told of a name that is not in the table: the name that it means, where that is plain. */
function toUnknown(name: string, parameters: Parameters): Malformed {
  return new Malformed(`Unknown parameter. ${toAdvice(name, parameters)}`);
}

function toAdvice(name: string, parameters: Parameters): string {
  // `groups_in[]`, `groups_in[0]`: how PHP, jQuery and axios write lists.
  const plain = name.replace(/\[\d*\]$/, '').toLowerCase();
  const meant = findMeant(plain, parameters);
  if (!meant) return 'The parameters are documented at /api/docs/.';
  const [its, parameter] = meant;
  if (parameter.isOfLinks) return 'Follow the links `next` and `previous` of an answer.';
  return `Did you mean "${its}"?${isList(parameter) ? ` ${toForm(its, parameter)}` : ''}`;
}

function findMeant(name: string, parameters: Parameters): [name: string, parameter: Parameter<unknown>] | undefined {
  const entries = Object.entries(parameters);
  const synonym = entries.find(([its, { alsoCalled = [] }]) => its === name || alsoCalled.includes(name));
  if (synonym) return synonym;
  const near = entries
    .filter(([its, { isOfLinks }]) => !isOfLinks && Math.abs(its.length - name.length) <= maxSlips(name))
    .map((entry): [slips: number, entry: typeof entry] => [distance(name, entry[0]), entry])
    .filter(([slips]) => slips <= maxSlips(name))
    .sort(([a], [b]) => a - b);
  return near[0]?.[1];
}

/** Letters that a finger slips on; two that change places count as two. */
const maxSlips = (name: string): number => (name.length < 5 ? 1 : 2);

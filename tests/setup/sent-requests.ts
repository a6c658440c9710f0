import fc from 'fast-check';
import { allowedTexts, type DocumentedParameter, refusedTexts } from './parameter-values.ts';
import { keys } from './people.ts';

/** A parameter as it is sent, and whether the document allows the text. */
type Given = { name: string; text: string; allowed: boolean };

const given = (parameter: DocumentedParameter): fc.Arbitrary<Given> => {
  const of = (texts: string[], allowed: boolean) =>
    fc.constantFrom(...texts).map((text) => ({ name: parameter.name, text, allowed }));
  return fc.oneof(
    { weight: 12, arbitrary: of(allowedTexts(parameter), true) },
    { weight: 1, arbitrary: of(refusedTexts(parameter), false) },
  );
};

const unknown: Given[] = [
  { name: 'nonsense', text: '1', allowed: false },
  { name: '__proto__', text: '', allowed: false },
];

/** Mostly none: a single one makes a 400 of the whole query. */
const strangers: fc.Arbitrary<Given[]> = fc.oneof(
  { weight: 14, arbitrary: fc.constant<Given[]>([]) },
  { weight: 1, arbitrary: fc.constantFrom(...unknown).map((given) => [given]) },
);

export const toQuery = (query: { name: string; text: string }[]): string =>
  new URLSearchParams(query.map(({ name, text }): [string, string] => [name, text])).toString();

const annsToken = `Token ${keys.ann}`;

const authorizations: Record<string, number> = {
  [annsToken]: 200,
  [`token   ${keys.cat}`]: 200,
  [`Token ${keys.soon}`]: 403,
  [`Token ${keys.eve}`]: 403,
  [`Token ${keys.cy}`]: 403,
  [`Token ${keys.expired}`]: 401,
  [`Token ${keys.bob}`]: 401,
  'Token nobody': 401,
  Token: 401,
  'Token a b': 401,
  'Token \xff': 401,
  'Basic YTpi': 401,
  '': 401,
};

/** What is decided before the token is read. */
function routed({ method, path }: { method: string; path: string }): number | undefined {
  if (path !== '/api/users/' && path !== '/api/users') return 404;
  if (method === 'OPTIONS') return 204;
  if (method !== 'GET' && method !== 'HEAD') return 405;
  return path === '/api/users' ? 301 : undefined;
}

/** A request for any path by anybody, and what its query gives. */
type SentRequest = {
  method: string;
  path: string;
  query: string;
  headers: { authorization: string; accept: string; 'accept-encoding': string };
  given: Given[];
};

/** A 406 is not the query's: an unknown `format` is one, and so is an `Accept` without a format that there is. */
export function statusOf({ headers, given, ...sent }: SentRequest): number {
  const decided = routed(sent) ?? (authorizations[headers.authorization] as number);
  if (decided !== 200) return decided;
  const isRefused = ({ name, allowed }: Given) => !allowed && name !== 'format';
  if (given.some(isRefused)) return 400;
  const format = given.find(({ name, text }) => name === 'format' && text !== '');
  if (format) return format.allowed ? 200 : 406;
  return headers.accept === 'text/html' ? 406 : 200;
}

/** So many, and the same each time. */
export function requestsOfAllKinds(parameters: DocumentedParameter[], numRuns: number): SentRequest[] {
  const queries = fc
    .tuple(
      fc.subarray(parameters, { maxLength: 5 }).chain((chosen) => fc.tuple(...chosen.map(given))),
      strangers,
    )
    .map(([known, unknown]) => [...known, ...unknown]);
  const requests = fc.record({
    given: queries,
    method: fc.constantFrom('GET', 'GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE'),
    path: fc.oneof(
      { weight: 20, arbitrary: fc.constant('/api/users/') },
      fc.constantFrom('/api/users', '/api/users/1/', '/api/', '/', '/API/users/', '/api/users//'),
    ),
    headers: fc.record({
      authorization: fc.oneof(
        { weight: 15, arbitrary: fc.constant(annsToken) },
        fc.constantFrom(...Object.keys(authorizations)),
      ),
      accept: fc.constantFrom('*/*', '*/*', '*/*', 'application/json', 'text/csv', 'text/html'),
      'accept-encoding': fc.constantFrom('identity', 'gzip', 'br'),
    }),
  });
  return fc.sample(requests, { numRuns, seed: 1 }).map((request) => ({ ...request, query: toQuery(request.given) }));
}

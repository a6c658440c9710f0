import fc from 'fast-check';
import type { DocumentedParameter } from './parameter-values.ts';
import { requestsOfAllKinds, toQuery } from './sent-requests.ts';

/** What ordinary clients of the benchmark's data sets send, by which many match. */
function ordinaryTexts({ name, schema }: DocumentedParameter): string[] {
  const { type, format, enum: choices, items } = schema;
  if (name === 'limit') return ['5', '20', '100', '1000'];
  if (name === 'offset') return ['0', '10', '40', '150'];
  if (name === 'search')
    return [
      'ali',
      'smith',
      'user',
      '09',
      'example.org',
      'ann smith',
      'rossi,maria',
      "o'neil",
      '100',
      'celik',
      'soren',
      '"ann smith"',
    ];
  if (name === 'id_min') return ['1', '500', '2000'];
  if (name === 'id_max') return ['3000', '1500', '400'];
  if (name === 'ordering')
    return (items?.enum ?? []).flatMap((key) => [key, `${key},id`, `gender,${key}`]).filter(isOnce);
  if (choices) return [...choices];
  if (type === 'boolean') return ['true', 'false', 'True', 'False'];
  if (format === 'date') return [name.endsWith('_to') ? '2025-06-01' : '2023-06-01', '2024-03-05', '2024-07-11'];
  return ['1', '4', '5', '17'].concat(items ? ['4,5', '1,2,3'] : []);
}

/** A field may be sorted by once. */
const isOnce = (ordering: string): boolean => {
  const fields = ordering.split(',').map((key) => key.replace('-', ''));
  return new Set(fields).size === fields.length;
};

/** Sent along by front ends: against caches, of campaigns, of other APIs. */
const strangers = [
  '_=1700000000001',
  '_=1700000000002',
  'utm_source=mail',
  'page=2',
  'page=3&page_size=20',
  'fields=id,email',
];

/** Parameters that links and exports have, and the original does not. */
const ours = ['after', 'before', 'format', 'id_in'];

/** Lines of nginx's combined log for GET and HEAD of the list: so many different requests, of ordinary clients and of all kinds, the same each time. */
export function toRecordedLog(parameters: DocumentedParameter[], requests: number): string[] {
  const known = parameters.filter(({ name }) => !ours.includes(name));
  const pair = (parameter: DocumentedParameter) =>
    fc.constantFrom(...ordinaryTexts(parameter)).map((text) => ({ name: parameter.name, text }));
  const ordinary = fc
    .tuple(
      fc.subarray(known, { minLength: 1, maxLength: 3 }).chain((chosen) => fc.tuple(...chosen.map(pair))),
      fc.oneof({ weight: 30, arbitrary: fc.constant('') }, fc.constantFrom(...strangers)),
    )
    .map(([pairs, stranger]) => `GET /api/users/?${[toQuery(pairs), stranger].filter(Boolean).join('&')}`);
  const ofAllKinds = requestsOfAllKinds(known, requests * 2)
    .filter(({ method, path }) => (method === 'GET' || method === 'HEAD') && /^\/api\/users\/?$/.test(path))
    .map(({ method, path, query }) => `${method} ${path}${query && `?${query}`}`);
  const half = Math.ceil(requests / 2);
  const different = [...new Set(fc.sample(ordinary, { numRuns: requests * 2, seed: 1 }))].slice(0, half);
  return [...new Set([...different, ...ofAllKinds])]
    .slice(0, requests)
    .map((sent) => `192.0.2.1 - - [21/Feb/2026:07:20:25 +0000] "${sent} HTTP/1.1" 200 512 "-" "-"`);
}

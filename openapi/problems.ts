import { everyAnswer } from './headers.ts';
import { reference } from './reference.ts';

const requestId = 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef';
const limitFault = 'Expected a whole number, at least 1.';
const flagFault = 'Expected true, false, 1 or 0.';

/** Components by name: the answers that are problems of RFC 9457. An example is a `detail`, or one with the faults of a query. */
export const problems = {
  BadRequest: problem(400, 'Bad Request', 'The query has faults; all of them are named.', {
    malformed: {
      detail: `limit: ${limitFault} is_active: ${flagFault}`,
      errors: { limit: [limitFault], is_active: [flagFault] },
    },
    unknown: {
      detail: 'limt: Unknown parameter. Did you mean "limit"?',
      errors: { limt: ['Unknown parameter. Did you mean "limit"?'] },
    },
    tooLarge: 'The answer is too large. Allow a compressed one (Accept-Encoding: gzip), or ask for less with `limit`.',
  }),
  Unauthorized: problem(
    401,
    'Unauthorized',
    'No token, or none that counts.',
    {
      none: 'Authentication credentials were not provided.',
      noKey: 'Invalid token header. No credentials provided.',
      spaces: 'Invalid token header. Token string should not contain spaces.',
      characters: 'Invalid token header. Token string should not contain invalid characters.',
      unknown: 'Invalid token.',
      inactive: 'User inactive or deleted.',
    },
    { 'WWW-Authenticate': reference('headers', 'WwwAuthenticate') },
  ),
  Forbidden: problem(403, 'Forbidden', 'The token is of a customer, or of staff without permission 1222.', {
    forbidden: 'You do not have permission to perform this action.',
  }),
  NotFound: problem(404, 'Not Found', 'Of any other path.', { notFound: 'Not found.' }),
  MethodNotAllowed: problem(
    405,
    'Method Not Allowed',
    'Of any other method.',
    { post: 'Method "POST" not allowed.' },
    { Allow: reference('headers', 'Allow') },
  ),
  NotAcceptable: problem(406, 'Not Acceptable', 'There is no such format.', {
    format: 'Expected format=json or format=csv, or an Accept header that allows application/json or text/csv.',
  }),
  InternalServerError: problem(500, 'Internal Server Error', 'A fault of the server.', {
    failed: `The request failed. Its id, for the operators: ${requestId}`,
  }),
  ServiceUnavailable: problem(
    503,
    'Service Unavailable',
    'The database cannot be reached, or the query takes longer than it may.',
    {
      unreachable: 'The database cannot be reached at the moment. Try again in a few seconds.',
      slow: 'The query took longer than it may. Use fewer, longer or rarer words in `search`.',
    },
    { 'Retry-After': reference('headers', 'RetryAfter') },
  ),
};

type Example = string | { detail: string; errors: Record<string, string[]> };

function problem(
  status: number,
  title: string,
  description: string,
  examples: Record<string, Example>,
  headers: object = {},
) {
  const toValue = (example: Example) => ({
    type: 'about:blank',
    title,
    status,
    ...(typeof example === 'string' ? { detail: example } : example),
  });
  return {
    description,
    headers: { ...everyAnswer, ...headers },
    content: {
      'application/problem+json': {
        schema: reference('schemas', 'Problem'),
        examples: Object.fromEntries(
          Object.entries(examples).map(([name, example]) => [name, { value: toValue(example) }]),
        ),
      },
    },
  };
}

import { refusals } from '../lib/auth.ts';
import * as errors from '../lib/http/errors.ts';
import { problem } from '../lib/http/responses.ts';
import { tooSlow } from '../lib/users/list.ts';
import { readUserQuery } from '../lib/users/query.ts';
import { everyAnswer, headers } from './headers.ts';
import { reference } from './reference.ts';

const queryOf = (rawQuery: string) =>
  readUserQuery({ rawQuery, headers: {}, note() {} }, { onlineWindowSeconds: 300, unknownParameters: 'refuse' });

/** What the query is refused with. */
function refusalOf(rawQuery: string): errors.HttpError {
  try {
    queryOf(rawQuery);
  } catch (error) {
    if (error instanceof errors.HttpError) return error;
  }
  throw new Error(`?${rawQuery} is not refused, and stands as an example of one that is.`);
}

/** Components by name: the answers that are problems of RFC 9457, with examples that are the errors themselves. */
export const problems = {
  BadRequest: toAnswer('The query has faults; all of them are named.', {
    malformed: refusalOf('limit=0&is_active=maybe'),
    unknown: refusalOf('limt=5'),
    tooLarge: errors.tooLarge(),
  }),
  Unauthorized: toAnswer(
    'No token, or none that counts.',
    Object.fromEntries(Object.entries(refusals).map(([name, refuse]) => [name, refuse()])),
    { 'WWW-Authenticate': reference('headers', 'WwwAuthenticate') },
  ),
  Forbidden: toAnswer('The token is of a customer, or of staff without permission 1222.', {
    forbidden: errors.forbidden(),
  }),
  NotAcceptable: toAnswer('There is no such format.', { format: refusalOf('format=xml') }),
  InternalServerError: toAnswer('A fault of the server.', {
    failed: errors.internalServerError(headers.RequestId.example, undefined),
  }),
  ServiceUnavailable: toAnswer(
    'The database cannot be reached, or the query takes longer than it may.',
    { unreachable: errors.databaseUnavailable(undefined), slow: tooSlow(queryOf('search=a'), undefined) },
    { 'Retry-After': reference('headers', 'RetryAfter') },
  ),
};

function toAnswer(description: string, examples: Record<string, errors.HttpError>, ownHeaders: object = {}) {
  const values = Object.entries(examples).map(([name, error]) => [
    name,
    { value: JSON.parse(`${problem(error).body}`) },
  ]);
  return {
    description,
    headers: { ...everyAnswer, ...ownHeaders },
    content: {
      'application/problem+json': {
        schema: reference('schemas', 'Problem'),
        examples: Object.fromEntries(values),
      },
    },
  };
}

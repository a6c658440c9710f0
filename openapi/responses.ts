import { toCsv } from '../lib/users/csv.ts';
import { userExamples } from './examples.ts';
import { everyAnswer } from './headers.ts';
import type { problems } from './problems.ts';
import { reference } from './reference.ts';

type Response = { description: string; headers: object; content?: object };
type Responses = Record<number, Response | { $ref: string }>;

const problem = (name: keyof typeof problems) => reference('responses', name);

export function listResponses(): Responses {
  const page = { count: 2, next: null, previous: null, results: userExamples };
  const csv = toCsv(userExamples).join('').replace('\ufeff', ''); // the mark would be unseen in an editor
  return {
    200: {
      description: 'The page.',
      headers: {
        ...everyAnswer,
        Link: reference('headers', 'Link'),
        'Content-Disposition': reference('headers', 'ContentDisposition'),
      },
      content: {
        'application/json': { schema: reference('schemas', 'UserPage'), examples: { documented: { value: page } } },
        'text/csv': {
          schema: { type: 'string', description: 'RFC 4180 with a header row, in UTF-8 with a byte-order mark.' },
          example: csv,
        },
      },
    },
    400: problem('BadRequest'),
    401: problem('Unauthorized'),
    403: problem('Forbidden'),
    406: problem('NotAcceptable'),
    500: problem('InternalServerError'),
    503: problem('ServiceUnavailable'),
  };
}

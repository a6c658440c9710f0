import { toCsv } from '../lib/users/csv.ts';
import { userExamples } from './examples.ts';
import { everyAnswer } from './headers.ts';
import type { problems } from './problems.ts';
import { reference } from './reference.ts';

type Response = { description: string; headers: object; content: object };
type Responses = Record<number, Response | { $ref: string }>;

const problem = (name: keyof typeof problems) => reference('responses', name);

export function listResponses(): Responses {
  const page = { count: 2, next: null, previous: null, results: userExamples };
  return {
    200: {
      description: 'The page.',
      headers: { ...everyAnswer, Link: reference('headers', 'Link') },
      content: {
        'application/json': { schema: reference('schemas', 'UserPage'), examples: { documented: { value: page } } },
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

export function csvResponses(): Responses {
  return {
    200: {
      description: 'The file.',
      headers: {
        ...everyAnswer,
        Link: reference('headers', 'Link'),
        'Content-Disposition': {
          description: 'The dated name of the file.',
          required: true,
          schema: { type: 'string', pattern: '^attachment; filename="users-\\d{4}-\\d{2}-\\d{2}\\.csv"$' },
          example: 'attachment; filename="users-2026-02-21.csv"',
        },
      },
      content: {
        'text/csv': {
          schema: { type: 'string', description: 'RFC 4180 with a header row, in UTF-8 with a byte-order mark.' },
          example: toCsv(userExamples).join('').replace('\ufeff', ''), // the mark would be unseen in an editor
        },
      },
    },
  };
}

import { toCsv } from '../lib/users/csv.ts';
import { userExamples } from './examples.ts';
import { everyAnswer } from './headers.ts';
import { problems } from './problems.ts';
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
    404: problem('NotFound'),
    405: problem('MethodNotAllowed'),
    406: problem('NotAcceptable'),
    500: problem('InternalServerError'),
    503: problem('ServiceUnavailable'),
  };
}

export const redirectResponses: Responses = {
  301: {
    description: 'The list is at the path that ends in a slash.',
    headers: { ...everyAnswer, Location: reference('headers', 'Location') },
  },
  404: problem('NotFound'),
  405: problem('MethodNotAllowed'),
  414: problem('UriTooLong'),
};

export const optionsResponses: Responses = {
  204: { description: 'The methods.', headers: { ...everyAnswer, Allow: reference('headers', 'Allow') } },
  404: problem('NotFound'),
};

/** As HEAD answers: without bodies. What is a component for GET is written out, as that has one. */
export function withoutContent(responses: Responses): Responses {
  const named = Object.entries(problems).map(([name, response]) => [`#/components/responses/${name}`, response]);
  const byReference: Record<string, Response> = Object.fromEntries(named);
  const bodiless = Object.entries(responses).map(([status, response]) => {
    const { content, ...rest } = '$ref' in response ? (byReference[response.$ref] as Response) : response;
    return [status, rest];
  });
  return Object.fromEntries(bodiless);
}

import { toJsonSchema } from '@valibot/to-json-schema';
import type { Parameter } from '../lib/parameters.ts';
import { userSchema } from '../lib/users/json.ts';
import { parameters } from '../lib/users/query.ts';
import { parameterExamples, userExamples } from './examples.ts';

const reference = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const text = { type: 'string' };

/** The OpenAPI 3.1 document of the API, from the tables that parse its queries and shape its answers. */
export function toOpenApi(): object {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Users API',
      version: '1.0.0',
      summary: 'The staff and admin users.',
      description:
        'A path without its slash at the end is redirected. An empty value of a parameter counts as not given; an unknown parameter, one given twice and a ' +
        'malformed value are a 400 that names every fault.',
      license: { name: 'All rights reserved', identifier: 'LicenseRef-Proprietary' },
    },
    servers: [{ url: '..', description: 'Where this document comes from: it is served at api/openapi.json.' }],
    security: [{ token: [] }],
    tags: [{ name: 'users', description: 'Staff and admins. Customers are never shown.' }],
    paths: {
      '/api/users/': {
        parameters: Object.entries(parameters).map(([name, parameter]) => toParameter(name, parameter)),
        get: {
          operationId: 'listUsers',
          tags: ['users'],
          summary: 'List all users',
          description:
            'One page of the staff and admin users. Needs an admin, or staff with permission 1222 (UserPermission).',
          responses: listResponses(),
        },
        head: {
          operationId: 'headUsers',
          tags: ['users'],
          summary: 'The headers of the list',
          description: 'The same headers as GET, without a body.',
          responses: withoutContent(listResponses()),
        },
        options: {
          operationId: 'optionsUsers',
          tags: ['users'],
          summary: 'The methods of the list',
          security: [],
          responses: {
            204: { description: 'The methods.', headers: { Allow: reference('headers', 'Allow') } },
            404: problem('NotFound'),
          },
        },
      },
      '/api/users': {
        get: {
          operationId: 'redirectToUsers',
          tags: ['users'],
          summary: 'The path without its slash',
          description: 'Redirects to the list, with the same query; needs no authentication.',
          security: [],
          responses: {
            301: {
              description: 'The list is at the path that ends in a slash.',
              headers: {
                Location: {
                  description: 'The path and the query.',
                  schema: { ...text, examples: ['/api/users/?limit=5'] },
                },
              },
            },
            405: problem('MethodNotAllowed'),
          },
        },
      },
    },
    components: {
      securitySchemes: {
        token: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'The word `Token`, a space and the key: `Token f4e75eab6e0f663a972d145478d6fc4b81762070`.',
        },
      },
      headers,
      responses: problems(),
      schemas: {
        User: toJsonSchema(userSchema, { target: 'draft-2020-12', errorMode: 'throw' }),
        UserPage: {
          type: 'object',
          required: ['count', 'next', 'previous', 'results'],
          additionalProperties: false,
          properties: {
            count: { type: 'integer', minimum: 0, description: 'All users that match, on whatever page.' },
            next: { type: ['string', 'null'], format: 'uri', description: 'The next page; null on the last one.' },
            previous: {
              type: ['string', 'null'],
              format: 'uri',
              description: 'The previous page; null on the first one.',
            },
            results: { type: 'array', items: reference('schemas', 'User') },
          },
        },
        Problem: {
          type: 'object',
          description: 'RFC 9457.',
          required: ['type', 'title', 'status', 'detail'],
          additionalProperties: false,
          properties: {
            type: text,
            title: text,
            status: { type: 'integer' },
            detail: { ...text, description: 'What is wrong, in a sentence.' },
            errors: {
              type: 'object',
              description: 'Of a 400: messages by the name of the parameter.',
              additionalProperties: { type: 'array', items: text },
            },
          },
        },
      },
    },
  };
}

function toParameter(name: string, { doc, schema }: Parameter<unknown>): object {
  const example = parameterExamples[name as keyof typeof parameterExamples];
  return {
    name,
    in: 'query',
    description: doc,
    schema,
    ...(schema.type === 'array' && { style: 'form', explode: false }),
    example,
  };
}

const headers = {
  Allow: {
    description: 'The methods that there are.',
    required: true,
    schema: { ...text, const: 'GET, HEAD, OPTIONS' },
  },
  CacheControl: {
    description: 'Personal data: nobody keeps it.',
    required: true,
    schema: { ...text, const: 'no-store' },
  },
  ContentDisposition: { description: 'A dated file name, of a CSV.', schema: text },
  Link: { description: 'RFC 8288: first, prev, next and last page.', schema: text },
  RequestId: { description: 'Name it when you report a fault.', required: true, schema: text },
  RetryAfter: { description: 'Seconds.', required: true, schema: { ...text, pattern: '^\\d+$' } },
  ServerTiming: {
    description: 'Milliseconds of authentication, of the database and in all.',
    required: true,
    schema: text,
  },
  WwwAuthenticate: { description: 'The scheme.', required: true, schema: { ...text, const: 'Token' } },
};

const everyAnswer = {
  'Cache-Control': reference('headers', 'CacheControl'),
  'Server-Timing': reference('headers', 'ServerTiming'),
  'X-Request-Id': reference('headers', 'RequestId'),
};

const problem = (name: string) => reference('responses', name);

function listResponses(): Record<number, object> {
  const page = { count: 2, next: null, previous: null, results: userExamples };
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
        'text/csv': { schema: text, example: '"id","username"\r\n2,"moratti120"\r\n' },
      },
    },
    400: problem('BadRequest'),
    401: problem('Unauthorized'),
    403: problem('Forbidden'),
    405: problem('MethodNotAllowed'),
    406: problem('NotAcceptable'),
    500: problem('InternalServerError'),
    503: problem('ServiceUnavailable'),
  };
}

/** HEAD has no bodies; a problem's headers are as they are. */
function withoutContent(responses: Record<number, object>): Record<number, object> {
  const bodiless = Object.entries(responses).map(([status, response]) => {
    const name = '$ref' in response ? String(response.$ref).split('/').at(-1) : undefined;
    const { content, ...rest } = (name ? problems()[name] : response) as Record<string, unknown>;
    return [status, rest];
  });
  return Object.fromEntries(bodiless);
}

/** Components by name: the answers that are problems. */
function problems(): Record<string, object> {
  const of = (
    status: number,
    title: string,
    detail: string,
    { headers = {}, errors }: { headers?: object; errors?: object } = {},
  ) => ({
    description: title,
    headers: { ...everyAnswer, ...headers },
    content: {
      'application/problem+json': {
        schema: reference('schemas', 'Problem'),
        example: { type: 'about:blank', title, status, detail, ...(errors && { errors }) },
      },
    },
  });
  const allow = { Allow: reference('headers', 'Allow') };
  const retryAfter = { 'Retry-After': reference('headers', 'RetryAfter') };
  return {
    BadRequest: of(400, 'Bad Request', 'limit: Expected a whole number, at least 1.', {
      errors: { limit: ['Expected a whole number, at least 1.'] },
    }),
    Unauthorized: of(401, 'Unauthorized', 'Invalid token.', {
      headers: { 'WWW-Authenticate': reference('headers', 'WwwAuthenticate') },
    }),
    Forbidden: of(403, 'Forbidden', 'You do not have permission to perform this action.'),
    NotFound: of(404, 'Not Found', 'Not found.'),
    MethodNotAllowed: of(405, 'Method Not Allowed', 'Method "POST" not allowed.', { headers: allow }),
    NotAcceptable: of(
      406,
      'Not Acceptable',
      'Expected format=json or format=csv, or an Accept header that allows application/json or text/csv.',
    ),
    InternalServerError: of(500, 'Internal Server Error', 'The request failed. Its id, for the operators: 0a1b2c3d'),
    ServiceUnavailable: of(
      503,
      'Service Unavailable',
      'The database cannot be reached at the moment. Try again in a few seconds.',
      { headers: retryAfter },
    ),
  };
}

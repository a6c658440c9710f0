import type { Parameter } from '../lib/parameters.ts';
import { parameters } from '../lib/users/query.ts';
import packageJson from '../package.json' with { type: 'json' };
import { description } from './description.ts';
import { headers } from './headers.ts';
import { problems } from './problems.ts';
import { csvResponses, listResponses } from './responses.ts';
import { schemas } from './schemas.ts';

/** The OpenAPI 3.1 document of the API, from the tables that parse its queries and shape its answers. */
export function toOpenApi(): object {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Users API',
      version: packageJson.version,
      summary: 'The staff and admin users.',
      description,
      contact: { name: 'The operators of this API, who want to know the X-Request-Id of an answer' },
      license: { name: 'All rights reserved' },
    },
    servers: [{ url: 'http://localhost:3000', description: '`npm start`' }],
    security: [{ token: [] }],
    tags: [{ name: 'users', description: 'Staff and admins. Customers are never shown.' }],
    paths: { '/api/users/': { get: listUsers() } },
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
      responses: problems,
      schemas,
    },
  };
}

function listUsers(): object {
  const { format, ...ofJson } = parameters;
  return {
    operationId: 'listUsers',
    tags: ['users'],
    summary: 'List all users',
    description:
      'One page of the staff and admin users. Needs an admin, or staff with permission 1222 (UserPermission).\n\n' +
      'As CSV with `format=csv` or `Accept: text/csv`: the same list as one file for spreadsheets, up to 10,000 users, or a page of it with `limit`.',
    parameters: Object.entries(ofJson).map(([name, parameter]) => toParameter(name, parameter)),
    responses: listResponses(),
    // Apart: of two kinds of answer to one call, generators make a type that is either, and each client would have to ask which.
    'x-csv': { parameters: [toParameter('format', format)], responses: csvResponses() },
  };
}

function toParameter(name: string, { doc, schema, example }: Parameter<unknown>): object {
  const isOfList = schema.type === 'array';
  return {
    name,
    in: 'query',
    description: isOfList ? `${doc} With commas between them, or the name repeated.` : doc,
    allowEmptyValue: true, // it counts as not given: HTML forms send those
    schema,
    ...(isOfList && { style: 'form', explode: false }),
    example,
  };
}

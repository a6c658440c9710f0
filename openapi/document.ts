import type { Parameter } from '../lib/parameters.ts';
import { parameters } from '../lib/users/query.ts';
import packageJson from '../package.json' with { type: 'json' };
import { headers } from './headers.ts';
import { problems } from './problems.ts';
import { listResponses, optionsResponses, redirectResponses, withoutContent } from './responses.ts';
import { schemas } from './schemas.ts';

/** The OpenAPI 3.1 document of the API, from the tables that parse its queries and shape its answers. */
export function toOpenApi(): object {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Users API',
      version: packageJson.version,
      summary: 'The staff and admin users.',
      description:
        'A path without its slash at the end is redirected. An empty value of a parameter counts as not given, and one given twice alike counts once; lists ' +
        'may be repeated and are joined. An unknown parameter, one of two values and a malformed value are a 400 that names every fault.',
      license: { name: 'All rights reserved', identifier: 'LicenseRef-Proprietary' },
    },
    servers: [{ url: '..', description: 'Where this document comes from: it is served at api/openapi.json.' }],
    security: [{ token: [] }],
    tags: [{ name: 'users', description: 'Staff and admins. Customers are never shown.' }],
    paths: { '/api/users/': listPath(), '/api/users': redirectPath },
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

function listPath(): object {
  const responses = listResponses();
  return {
    parameters: Object.entries(parameters).map(([name, parameter]) => toParameter(name, parameter)),
    get: {
      operationId: 'listUsers',
      tags: ['users'],
      summary: 'List all users',
      description:
        'One page of the staff and admin users. Needs an admin, or staff with permission 1222 (UserPermission).',
      responses,
    },
    head: {
      operationId: 'headUsers',
      tags: ['users'],
      summary: 'The headers of the list',
      description: 'The same headers as GET, without a body.',
      responses: withoutContent(responses),
    },
    options: {
      operationId: 'optionsUsers',
      tags: ['users'],
      summary: 'The methods of the list',
      security: [],
      responses: optionsResponses,
    },
  };
}

const redirect = {
  tags: ['users'],
  summary: 'The path without its slash',
  description: 'Redirects to the list, with the same query; needs no authentication.',
  security: [],
};

const redirectPath = {
  get: { operationId: 'redirectToUsers', ...redirect, responses: redirectResponses },
  head: { operationId: 'headRedirectToUsers', ...redirect, responses: withoutContent(redirectResponses) },
  options: {
    operationId: 'optionsRedirectToUsers',
    ...redirect,
    description: 'The same methods as those of the list.',
    responses: optionsResponses,
  },
};

function toParameter(name: string, { doc, schema, example }: Parameter<unknown>): object {
  return {
    name,
    in: 'query',
    description: doc,
    allowEmptyValue: true, // it counts as not given: HTML forms send those
    schema,
    ...(schema.type === 'array' && { style: 'form', explode: false }),
    example,
  };
}

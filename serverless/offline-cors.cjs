'use strict';
// serverless-offline tells every page that it may read an answer: with credentials where no origins are configured, and where they are, to any request
// but a preflight. API Gateway tells it to the pages of the origins alone, so a front end that works before `npm start` must not fail after a deployment.
const { server } = require('@hapi/hapi');

const prototype = Object.getPrototypeOf(server());
const { ext } = prototype;

module.exports = class OfflineCors {
  constructor(serverless) {
    const answer = (request, toolkit) => {
      const { cors } = serverless.service.provider.httpApi ?? {};
      if (!cors) return toolkit.continue;
      const response = request.response.isBoom ? request.response.output : request.response;
      if (request.method === 'options') response.statusCode = 204;
      Object.assign(response.headers, toHeaders(cors, request));
      return toolkit.continue;
    };
    // The only thing that serverless-offline does there.
    prototype.ext = function extWithOrigins(event, ...rest) {
      return ext.call(this, event, ...(event === 'onPreResponse' ? [answer] : rest));
    };
  }
};

function toHeaders(cors, { method, headers: { origin } }) {
  if (!cors.allowedOrigins.some((allowed) => allowed === '*' || allowed === origin)) return {};
  const join = (names) => names.join(',').toLowerCase();
  return {
    'access-control-allow-origin': origin,
    ...(cors.allowCredentials && { 'access-control-allow-credentials': 'true' }),
    'access-control-expose-headers': join(cors.exposedResponseHeaders),
    ...(method === 'options' && {
      'access-control-allow-headers': join(cors.allowedHeaders),
      'access-control-allow-methods': cors.allowedMethods.join(','),
      'access-control-max-age': cors.maxAge,
    }),
  };
}

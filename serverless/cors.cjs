'use strict';
// CORS_ORIGINS: the origins whose pages may call the API, separated by commas. Without any, no page may.
module.exports = () => {
  const allowedOrigins = (process.env.CORS_ORIGINS ?? '').split(',').flatMap((origin) => origin.trim() || []);
  return allowedOrigins.length === 0
    ? false
    : {
        allowedOrigins,
        allowedMethods: ['GET', 'HEAD', 'OPTIONS'],
        allowedHeaders: ['Authorization'],
        exposedResponseHeaders: ['X-Request-Id', 'Retry-After', 'Server-Timing'],
        maxAge: 600,
      };
};

'use strict';
// serverless-offline tells hapi to strip the slash that ends a path, and offers no way round it. API Gateway keeps the slash, and the
// redirect from /api/users to /api/users/ would never end without it.
const Request = require('@hapi/hapi/lib/request');

const { _parseUrl: parseUrl } = Request.prototype;
Request.prototype._parseUrl = function parseUrlWithSlash(source, options) {
  return parseUrl.call(this, source, { ...options, stripTrailingSlash: false });
};

module.exports = class OfflineTrailingSlash {};

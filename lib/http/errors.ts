/** What is wrong with each parameter of a query: `{ limit: ['Expected a whole number, at least 1.'] }`. */
export type ParameterErrors = Record<string, string[]>;

/** An answer that is not a success: what the client is told, and nothing else. `cause` is for the log. */
export class HttpError extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly headers: Record<string, string>;
  readonly errors: ParameterErrors | undefined;

  constructor(
    status: number,
    title: string,
    detail: string,
    {
      headers = {},
      errors,
      cause,
    }: { headers?: Record<string, string>; errors?: ParameterErrors; cause?: unknown } = {},
  ) {
    super(detail, { cause });
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.headers = headers;
    this.errors = errors;
  }
}

export function badRequest(errors: ParameterErrors): HttpError {
  const detail = Object.entries(errors)
    .map(([name, messages]) => `${name}: ${messages.join(' ')}`)
    .join(' ');
  return new HttpError(400, 'Bad Request', detail, { errors });
}

export const notARequest = (): HttpError =>
  new HttpError(400, 'Bad Request', 'Expected an HTTP request of API Gateway, payload 2.0 or 1.0.');

export const unauthorized = (detail: string): HttpError =>
  new HttpError(401, 'Unauthorized', detail, { headers: { 'WWW-Authenticate': 'Token' } });

export const forbidden = (): HttpError =>
  new HttpError(403, 'Forbidden', 'You do not have permission to perform this action.');

export const notFound = (): HttpError => new HttpError(404, 'Not Found', 'Not found.');

export const methodNotAllowed = (method: string, allow: string): HttpError =>
  new HttpError(405, 'Method Not Allowed', `Method "${method}" not allowed.`, { headers: { Allow: allow } });

export const notAcceptable = (expected: string): HttpError => new HttpError(406, 'Not Acceptable', expected);

/** `path` is where there would be no redirect. */
export const uriTooLong = (path: string): HttpError =>
  new HttpError(
    414,
    'URI Too Long',
    `The query is too long for a redirect. Ask at ${path}, with the slash at its end.`,
  );

/** The client can mend it, so it is no 5xx. */
export const tooLarge = (): HttpError =>
  new HttpError(
    400,
    'Bad Request',
    'The answer is too large. Allow a compressed one (Accept-Encoding: gzip), or ask for less with `limit`.',
  );

export const internalServerError = (requestId: string, cause: unknown): HttpError =>
  new HttpError(500, 'Internal Server Error', `The request failed. Its id, for the operators: ${requestId}`, { cause });

export const databaseUnavailable = (cause: unknown): HttpError =>
  new HttpError(
    503,
    'Service Unavailable',
    'The database cannot be reached at the moment. Try again in a few seconds.',
    { headers: { 'Retry-After': '5' }, cause },
  );

/** `advice` says which part of the request to narrow. Without `Retry-After`: the same request would take as long again. */
export const timeLimitExceeded = (advice: string, cause: unknown): HttpError =>
  new HttpError(503, 'Service Unavailable', `The query took longer than it may. ${advice}`, { cause });

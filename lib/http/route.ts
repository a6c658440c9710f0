import { describeError, writeLog } from '../log.ts';
import type { Request, Response } from '../request.ts';
import { HttpError, internalServerError, methodNotAllowed, notFound, tooLarge } from './errors.ts';
import { type Handler, isWithinLimit, toRequest, toResult } from './gateway.ts';
import { noContent, problem, redirect } from './responses.ts';

type Answer = (request: Request) => Promise<Response>;

const allowedMethods = 'GET, HEAD, OPTIONS';

/**
 * A Lambda function that answers GET and HEAD at the paths, OPTIONS, the redirect of a path without its slash to the one that ends in it,
 * and everything else with an error. It never throws, and writes one line to the log.
 */
export function route(paths: readonly string[], settings: { publicUrl: string | undefined }, answer: Answer): Handler {
  return async (event) => {
    const request = toRequest(event, settings.publicUrl);
    const response = await request
      .time('total', () => dispatch(request, paths, answer))
      .catch((error: unknown) => toProblem(request, error));
    const result = toResult(request, response);
    const refusal = isWithinLimit(result) ? undefined : toProblem(request, tooLarge());
    request.log.status = (refusal ?? response).status;
    writeLog(request.log);
    return refusal ? toResult(request, refusal) : result;
  };
}

async function dispatch(request: Request, paths: readonly string[], answer: Answer): Promise<Response> {
  const { method } = request;
  const path = [request.path, `${request.path}/`].find((path) => paths.includes(path));
  if (path === undefined) throw notFound();
  request.log.route = path;
  if (method === 'OPTIONS') return noContent({ Allow: allowedMethods });
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method, allowedMethods);
  if (request.path !== path) return redirect(request, path);
  return answer(request);
}

/** What is no HttpError is ours: a 500, and its cause in the log. */
function toProblem(request: Request, error: unknown): Response {
  const known = error instanceof HttpError ? error : internalServerError(request.id, error);
  if (known.status >= 500) request.log.error = describeError(known.cause, { expected: error === known });
  return problem(known);
}

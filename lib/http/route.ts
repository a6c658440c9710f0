import { describeError, writeRequestLog } from '../log.ts';
import { type Request, type Response, toRequest } from '../request.ts';
import type { Settings } from '../settings.ts';
import { HttpError, internalServerError, methodNotAllowed, notARequest, notFound, tooLarge } from './errors.ts';
import { readEvent } from './events.ts';
import { type Handler, isWithinLimit, type Result, toResult, withoutBody } from './gateway.ts';
import { noContent, problem, redirect } from './responses.ts';

type RouteSettings = Pick<Settings, 'publicUrl' | 'auditLog'>;

/** What a path is for. It may throw. */
type Answer = (request: Request) => Promise<Response>;

export const allowedMethods = 'GET, HEAD, OPTIONS';

/**
 * A Lambda function that answers GET and HEAD at the paths, OPTIONS, the redirect of a path without its slash to the one that ends in it,
 * and everything else with an error, an event that is no request too. It never throws, and writes one line to the log.
 */
export function route(paths: readonly string[], settings: RouteSettings, answer: Answer): Handler {
  return async (event) => {
    const request = readEvent(event, settings.publicUrl);
    if (!request) return answerOtherEvent(settings);
    const response = await request
      .time('total', () => dispatch(request, paths, answer))
      .catch((error: unknown) => toProblem(request, error));
    const whole = toResult(request, response);
    const refusal = isWithinLimit(whole) ? undefined : toProblem(request, tooLarge());
    writeRequestLog(request, (refusal ?? response).status, settings);
    const result = refusal ? toResult(request, refusal) : whole;
    return request.method === 'HEAD' ? withoutBody(result) : result;
  };
}

/** A warm-up, a schedule, a queue: answered, because Lambda sends again what fails, and said in the log without anything of the event. */
function answerOtherEvent(settings: RouteSettings): Result {
  const nobodys = toRequest({ id: 'none', method: 'GET', path: '', rawQuery: '', headers: {}, baseUrl: '' });
  const response = problem(notARequest());
  nobodys.note({ event: 'not a request of API Gateway' });
  writeRequestLog(nobodys, response.status, settings);
  return toResult(nobodys, response);
}

async function dispatch(request: Request, paths: readonly string[], answer: Answer): Promise<Response> {
  const { method } = request;
  const path = [request.path, `${request.path}/`].find((path) => paths.includes(path));
  if (path === undefined) throw notFound();
  request.note({ route: path });
  if (method === 'OPTIONS') return noContent({ Allow: allowedMethods });
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method, allowedMethods);
  if (request.path !== path) return redirect(request, path);
  return answer(request);
}

/** What is no HttpError is ours: a 500, and its cause in the log. */
function toProblem(request: Request, error: unknown): Response {
  const known = error instanceof HttpError ? error : internalServerError(request.id, error);
  const { errors = {} } = known;
  const refusedParameters = request.facts.parameters?.filter((name) => Object.hasOwn(errors, name)) ?? [];
  if (refusedParameters.length > 0) request.note({ refusedParameters });
  if (known.status >= 500) request.note({ error: describeError(known.cause, { expected: error === known }) });
  return problem(known);
}

import { type Answer, describeAnswer, type Fault, isOurs } from './deployment.ts';

/** What statuses mean that were not expected: of the function, and of what stands before it. */
const ofFunction: Record<number, string> = {
  200: 'the query or the header that should have been refused did not arrive: a cache or a proxy drops it.',
  301: 'the slash at the end of the path is lost before the function, by a proxy that tidies paths or follows the redirect itself.',
  400: 'the query arrives changed.',
  401: 'the key is of another stage, has ended or was revoked; or a proxy drops or changes Authorization (CloudFront does unless told to forward it).',
  403: "the key's user may not read the list: grant permission 1222, or take another's.",
  404: 'the function sees another path than /api/users/: publicUrl has to end in the key of the API mapping, and a stage or a key in the URL has to be the one deployed.',
  500: "a fault of the function: its log has the request's id.",
  503: 'the database: the log says in plain words what is wrong (not migrated, create-reader not run again, password, network).',
};

const before: Record<number, string> = {
  301: 'a proxy or a CDN redirects by itself, to another scheme or path.',
  400: 'the gateway refuses the request before the function sees it.',
  403: 'an authorizer, WAF, or an API key stands before the function; a REST API also says it of a path that it does not know, and a resource policy of a caller it does not let in.',
  404: 'the gateway knows no such path: a missing stage or mapping in the URL, or a route other than $default ({proxy+} with ANY in a REST API).',
  413: 'the gateway refuses the request for its size.',
  429: 'the gateway throttles: wait a second and ask again.',
  500: "the function could not start, for a bad setting, or the gateway may not invoke it: the function's log, then its permission.",
  502: "the function could not start, for a bad setting, or a REST API does not take its answer: the function's log.",
  503: 'no instance of the function could run: its concurrency, or a timeout of 30 s.',
  504: 'the function took longer than the gateway waits: its VPC does not reach the database, or its timeout is too long.',
};

/** Where another status was expected. */
export const wrongStatus = (expected: number, answer: Answer): Fault => ({
  saw: `Expected ${expected}, got ${describeAnswer(answer)}.`,
  usually:
    (isOurs(answer) ? ofFunction : before)[answer.status] ??
    (isOurs(answer) ? 'another build answers than was meant.' : 'another server answers: look at the URL.'),
});

/** Where a header is missing or not as expected: not that text, or not like the pattern. */
export function headerFault(
  { headers }: Answer,
  name: string,
  expected: string,
  usually: string,
  pattern?: RegExp,
): Fault[] {
  const value = headers[name.toLowerCase()];
  const text = Array.isArray(value) ? value.join(', ') : value;
  const isRight = text !== undefined && (pattern ? pattern.test(text) : text === expected);
  return isRight ? [] : [{ saw: `Expected ${name}: ${expected}, got ${text ?? 'none'}.`, usually }];
}

/** `faults` of an answer with the status, and else what the other status means. */
export const judge = (answer: Answer, status: number, faults: () => Fault[]): Fault[] =>
  answer.status === status ? faults() : [wrongStatus(status, answer)];

/** Of a header, as `usually` says it. */
export const proxyDrops = (what: string): string => `a proxy or a CDN before the gateway drops ${what}.`;

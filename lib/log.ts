import { describeFault } from './database/faults.ts';
import type { Request } from './request.ts';
import { version } from './version.ts';

/** One line per request; Lambda's JSON format adds time and level to the object. */
export function writeRequestLog(request: Request, status: number, { auditLog }: { auditLog: boolean }): void {
  const { shownUserIds, ...facts } = request.facts;
  // A HEAD and a refusal have shown nobody.
  const isShown = auditLog && status === 200 && request.method === 'GET' && shownUserIds !== undefined;
  writeLine({
    requestId: request.id,
    status,
    version,
    ...facts,
    ...(isShown && { shownUserIds }),
    durationsMs: request.durationsMs,
  });
}

/** One line per operator's command, without its arguments: they are names and addresses. `userIds`: whom it has acted on. */
export const writeCommandLog = (log: { ok: boolean; command?: string | undefined; userIds?: number[] }): void =>
  writeLine(log);

/** A line of a request that an audit keeps, as it was. */
export const writeAuditLog = (line: object): void => writeLine(line);

function writeLine(line: object): void {
  // As Node.js shows an object, which Lambda does where its JSON format is not on, a hundred ids would be all, on several lines.
  const whole = Object.defineProperty(line, inspection, { value: () => JSON.stringify(line) });
  if ('error' in line) console.error(whole);
  else console.log(whole);
}

/** By which `util.inspect` asks an object how to show it. */
const inspection = Symbol.for('nodejs.util.inspect.custom');

/** Why a request ended in a 5xx, without what must not stand in a log: the message of an error that nobody `expected` may quote data. */
export function describeError(error: unknown, { expected }: { expected: boolean }): object {
  if (!(error instanceof Error)) return { name: typeof error };
  const fault = describeFault(error);
  if (fault) return fault;
  // Of a name with several addresses, all of which failed.
  if (error instanceof AggregateError) {
    return { name: error.name, errors: error.errors.map((each) => describeError(each, { expected })) };
  }
  const { name, message, stack = '' } = error;
  return {
    name,
    ...('code' in error && { code: error.code }),
    ...(expected ? { message } : { stack: stack.replace(message, '').split('\n    at ').slice(1) }),
  };
}

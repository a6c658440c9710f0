import pg from 'pg';
import type { HttpError } from './errors.ts';

/** Logs why a request ended in a 5xx. Lambda's JSON format adds time and level to the object. */
export function logError(requestId: string, { status, detail, cause }: HttpError): void {
  console.error({ requestId, status, message: detail, cause: describe(cause) });
}

/** What of an error may stand in a log. PostgreSQL quotes values in messages about data (classes 22 and 23): those stay out. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  if (error instanceof pg.DatabaseError) {
    const quotesData = /^2[23]/.test(error.code ?? '');
    return {
      name: 'DatabaseError',
      code: error.code,
      routine: error.routine,
      ...(!quotesData && { message: error.message }),
    };
  }
  const { name, message, stack } = error;
  return { name, message, code: 'code' in error ? error.code : undefined, stack: stack?.split('\n    at ').slice(1) };
}

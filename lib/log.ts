import pg from 'pg';

/** What the log says of a request: names and numbers, never a value of the query, a token or a user's data. */
export type RequestLog = {
  /** The gateway's. */
  requestId: string;
  status?: number;
  /** Ours; absent for any other path, which is a client's text. */
  route?: string;
  /** Of the stages and in all, as in Server-Timing. */
  durationsMs: Record<string, number>;
  callerId?: number;
  /** The first 8 hexadecimal digits of the token's hash, as the command `list-tokens` prints them. */
  token?: string;
  /** Names of documented parameters; any other name is a client's text. */
  parameters?: string[];
  /** Of all users that match. */
  count?: number;
  /** Of the page. */
  rows?: number;
  /** For audits: the ids of the users shown. */
  shownUserIds?: number[];
  error?: object;
};

/** An operator's command, without its arguments. */
export type CommandLog = { ok: boolean; command?: string | undefined; error?: object };

/** One line per request or command; Lambda's JSON format adds time and level to the object. */
export function writeLog(log: RequestLog | CommandLog): void {
  if (log.error) console.error(log);
  else console.log(log);
}

/**
 * Why a request ended in a 5xx, without what must not stand in a log: messages of PostgreSQL about data quote values, and so may the message
 * of an error that nobody `expected`.
 */
export function describeError(error: unknown, { expected }: { expected: boolean }): object {
  if (!(error instanceof Error)) return { name: typeof error };
  if (error instanceof pg.DatabaseError) return describeDatabaseError(error);
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

function describeDatabaseError({ code = '', routine, message }: pg.DatabaseError): object {
  const advice = advices.find(([codes]) => codes.test(code))?.[1];
  return {
    name: 'DatabaseError',
    code,
    routine,
    ...(quotesNoData.test(code) && { message }),
    ...(advice && { advice }),
  };
}

/** SQLSTATEs whose messages name relations, roles and limits. */
const quotesNoData = /^(08|25|26|28|3D|40|42501|42703|42883|42P01|42P05|53|57)/;

/** What an operator can do, by SQLSTATE. */
const advices: [codes: RegExp, advice: string][] = [
  [/^(42P01|42703|42883)/, 'The schema is not the one that this version needs: run the migrations.'],
  [/^42501/, 'The role may not read what the API reads: run create-reader for it again.'],
  [/^28/, 'The database refuses the user name or the password.'],
  [/^3D000/, 'There is no database of the name in DATABASE_URL.'],
  [/^53300/, 'The database is out of connections: lower the reserved concurrency, or put a pooler before it.'],
  [/^(26000|42P05)/, 'A pooler loses prepared statements: set DATABASE_NAMED_STATEMENTS=off.'],
  [/^57014/, 'A statement took longer than statement_timeout allows.'],
];

import type { DatabaseError } from 'pg';

/**
 * What a fault of the database means to a request.
 * - `passing`: it may be over by now, so the statement is sent once more, and then is a 503.
 * - `timeout`: a statement over its time limit; a second one would take as long.
 * - `not ready`: only an operator can help, or some minutes; a 503 as well.
 */
type Kind = 'passing' | 'timeout' | 'not ready';

/**
 * `connection`: gone, or of no more use. `quotable`: its message names relations, roles and limits, never data. `advice` is for operators.
 */
type Fault = { codes: string[]; kind?: Kind; connection?: 'lost'; quotable: boolean; advice?: string };

/**
 * By the beginnings of their SQLSTATEs (PostgreSQL, appendix A): the first row that fits. What fits none is a fault of ours, or repeats itself:
 * classes 20 to 24 and 42 are about the statement and its values, 54 about its size, P0 is raised on purpose, XX is PostgreSQL's own error or
 * damaged data.
 */
const faults: Fault[] = [
  // The connection breaks, or the server or a pooler ends it.
  { codes: ['08', '57P'], kind: 'passing', connection: 'lost', quotable: true },
  // Ended while idle inside a transaction, or inside one that has failed. Ours have none open: somebody's before us, behind a pooler.
  { codes: ['25P02', '25P03'], kind: 'passing', connection: 'lost', quotable: true },
  // A migration changed the result of a prepared statement.
  { codes: ['0A000'], kind: 'passing', connection: 'lost', quotable: false },
  {
    codes: ['40P01'],
    kind: 'passing',
    quotable: true,
    advice:
      'Another program locks tables in an order of its own: let it take its locks at once, or change one table a transaction.',
  },
  // Rolled back for somebody else's sake: a standby cancels what stands in the way of its recovery.
  { codes: ['40'], kind: 'passing', quotable: true },
  {
    codes: ['55P03'],
    kind: 'passing',
    quotable: true,
    advice: 'Another program holds a lock on a table for longer than lock_timeout allows.',
  },
  // "Snapshot too old", until PostgreSQL 16: the second statement has a new one.
  { codes: ['72000'], kind: 'passing', quotable: true },
  {
    codes: ['25P04'],
    kind: 'timeout',
    connection: 'lost',
    quotable: true,
    advice: 'A statement took longer than transaction_timeout allows.',
  },
  {
    codes: ['57014'],
    kind: 'timeout',
    quotable: true,
    advice: 'A statement took longer than statement_timeout allows.',
  },
  {
    codes: ['42P01', '42703', '42883'],
    kind: 'not ready',
    quotable: true,
    advice: 'The schema is not the one that this version needs: run the migrations.',
  },
  {
    codes: ['42501'],
    kind: 'not ready',
    quotable: true,
    advice: 'The role may not read what the API reads: run create-reader for it again.',
  },
  {
    // Raised by the guard of manage/adopt.
    codes: ['UA001'],
    kind: 'not ready',
    quotable: true,
    advice:
      'The tables of the API may not be as those of the Django application: adopt --check says why, and adopt brings them up to date.',
  },
  {
    codes: ['26000', '42P05'],
    kind: 'not ready',
    quotable: true,
    advice: 'A pooler loses prepared statements: set DATABASE_NAMED_STATEMENTS=off.',
  },
  {
    codes: ['53300'],
    kind: 'not ready',
    quotable: true,
    advice: 'The database is out of connections: lower the reserved concurrency, or put a pooler before it.',
  },
  // Out of memory, of disk, of another resource; an object that is being made, or in use; an operator's intervention; a file of the server's
  // that it cannot read, or a pooler's word for having no connection.
  { codes: ['53', '55', '57', '58'], kind: 'not ready', quotable: true },
  { codes: ['28'], quotable: true, advice: 'The database refuses the user name or the password.' },
  { codes: ['3D000'], quotable: true, advice: 'There is no database of the name in DATABASE_URL.' },
  { codes: ['25', '3D'], quotable: true },
];

/** By its fields, not its class: functions without a database log too, and would load the driver for it. */
const isOfServer = (error: unknown): error is DatabaseError => error instanceof Error && 'severity' in error;

const toFault = ({ code = '' }: DatabaseError): Fault | undefined =>
  faults.find(({ codes }) => codes.some((start) => code.startsWith(start)));

/** Of what a statement has thrown; undefined where it is a fault of ours. */
export function kindOf(error: unknown): Kind | undefined {
  if (isOfServer(error)) return toFault(error)?.kind;
  if (!(error instanceof Error)) return undefined;
  // node-postgres gives its own errors no codes: its time limit, a socket's error, its word for a connection that is gone.
  if (error.message === 'Query read timeout') return 'timeout';
  return 'syscall' in error || /^Connection terminated|not queryable/.test(error.message) ? 'passing' : undefined;
}

/** Whether the connection serves the next statement. After the driver's own time limit it does not: the statement still runs on it. */
export const keepsConnection = (error: unknown): boolean => isOfServer(error) && toFault(error)?.connection !== 'lost';

/** For the log; undefined for what is no error of the server's. Messages about data stay out: they quote values. */
export function describeFault(error: unknown): object | undefined {
  if (!isOfServer(error)) return undefined;
  const { quotable, advice } = toFault(error) ?? { quotable: false };
  const { code = '', routine, message } = error;
  return { name: 'DatabaseError', code, routine, ...(quotable && { message }), ...(advice && { advice }) };
}

import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { describeFault, keepsConnection, kindOf } from '../lib/database/faults.ts';

const secret = 'hunter2';

/** The server's error, with whatever an error of PostgreSQL may say, and data in all that may quote some. */
function errorOf(code: string, message: string): pg.DatabaseError {
  const error = new pg.DatabaseError(message, message.length, 'error');
  const quoting = { detail: secret, hint: secret, where: secret, internalQuery: secret, schema: secret, table: secret };
  return Object.assign(error, {
    severity: 'ERROR',
    code,
    routine: 'a_routine',
    ...quoting,
    column: secret,
    constraint: secret,
  });
}

/** What a fault is to a request, whether its connection serves the next statement, whether its message is logged, the advice beside it. */
type Meaning = [
  kind: ReturnType<typeof kindOf>,
  connection: 'kept' | 'lost',
  message: 'logged' | 'hidden',
  advice?: RegExp,
];

const passing: Meaning = ['passing', 'kept', 'logged'];
const passingAndLost: Meaning = ['passing', 'lost', 'logged'];
const notReady: Meaning = ['not ready', 'kept', 'logged'];
const ours: Meaning = [undefined, 'kept', 'hidden'];
const pooler: Meaning = ['not ready', 'kept', 'logged', /^A pooler .* DATABASE_NAMED_STATEMENTS=off\.$/];
const schema: Meaning = ['not ready', 'kept', 'logged', /^The schema is not the one .*: run the migrations\.$/];

test.each<[codes: string, meaning: Meaning]>([
  ['08000 08001 08003 08004 08006 08007 08P01 57P01 57P02 57P03 57P04 57P05', passingAndLost],
  ['25P02 25P03', passingAndLost],
  ['0A000', ['passing', 'lost', 'hidden']],
  ['40000 40001 40002 40003 40P00 40P02 72000', passing],
  ['40P01', ['passing', 'kept', 'logged', /^Another program locks tables in an order of its own: /]],
  ['55P03', ['passing', 'kept', 'logged', /^Another program holds a lock on a table .* lock_timeout allows\.$/]],
  ['25P04', ['timeout', 'lost', 'logged', /^A statement .* transaction_timeout allows\.$/]],
  ['57014', ['timeout', 'kept', 'logged', /^A statement .* statement_timeout allows\.$/]],
  ['42P01 42703 42883', schema],
  ['42501', ['not ready', 'kept', 'logged', /^The role may not read .* run create-reader for it again\.$/]],
  ['26000 42P05', pooler],
  ['UA001', ['not ready', 'kept', 'logged', /^.* adopt/]],
  ['53300', ['not ready', 'kept', 'logged', /^The database is out of connections: /]],
  ['53000 53100 53200 53400 55000 55006 55P02 55P04 57000 58000 58030 58P01 58P02', notReady],
  ['28000 28P01', [undefined, 'kept', 'logged', /^The database refuses the user name or the password\.$/]],
  ['3D000', [undefined, 'kept', 'logged', /^There is no database of the name in DATABASE_URL\.$/]],
  ['25000 25006 25P01 3D001', [undefined, 'kept', 'logged']],
  // Whose messages quote values, and neighbours of those above.
  ['00000 01000 02000 03000 0A001 0B000 20000 21000 22001 22012 22023 22P02 22P05 23502 23505 23514 24000 2F000', ours],
  ['38000 39000 3B001 3F000 42000 42601 42702 42704 42725 42804 42846 42P02 42P03 42P04 42P18 44000', ours],
  ['54000 54001 72001 F0000 HV000 P0001 P0002 XX000 XX001 XX002 A4000 A5330 9957P', ours],
])('%s', (codes, [kind, connection, message, advice]) => {
  for (const code of codes.split(' ')) {
    const error = errorOf(code, message === 'logged' ? 'a message' : secret);
    expect([code, kindOf(error), keepsConnection(error)]).toEqual([code, kind, connection === 'kept']);
    const logged = {
      name: 'DatabaseError',
      code,
      routine: 'a_routine',
      ...(message === 'logged' && { message: 'a message' }),
    };
    expect(describeFault(error)).toEqual({ ...logged, ...(advice && { advice: expect.stringMatching(advice) }) });
  }
});

test("an error of the server's without a SQLSTATE is ours, and its message is not logged", () => {
  const error = Object.assign(new pg.DatabaseError(secret, 1, 'error'), { severity: 'ERROR' });
  expect([kindOf(error), keepsConnection(error)]).toEqual([undefined, true]);
  expect(describeFault(error)).toEqual({ name: 'DatabaseError', code: '', routine: undefined });
});

describe('what is no error of the server', () => {
  const ofSystem = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

  test.each<[thrown: unknown, kind: ReturnType<typeof kindOf>]>([
    [new Error('Query read timeout'), 'timeout'],
    [ofSystem, 'passing'],
    [new Error('Connection terminated unexpectedly'), 'passing'],
    [new Error('Connection terminated due to connection timeout'), 'passing'],
    [new Error('Client has encountered a connection error and is not queryable'), 'passing'],
    [new Error('The Query read timeout'), undefined],
    [new Error('No Connection terminated'), undefined],
    [new TypeError('x is not a function'), undefined],
    ['Query read timeout', undefined],
    [{ code: '57014', message: 'Query read timeout' }, undefined],
    [undefined, undefined],
  ])('%s is %s, and takes the connection along', (thrown, kind) => {
    expect([kindOf(thrown), keepsConnection(thrown), describeFault(thrown)]).toEqual([kind, false, undefined]);
  });
});

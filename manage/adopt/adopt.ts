import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Kysely } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { inTurn } from '../locks.ts';
import type { Note, Say } from '../note.ts';
import { OperatorError } from '../operator-error.ts';
import { readAdoptedMapping } from './adoption.ts';
import { check } from './check.ts';
import { follow } from './follow.ts';
import { inspect } from './inspect.ts';
import { readMapping } from './mapping.ts';
import { undo } from './undo.ts';

/**
 * `adopt --inspect | --check | --undo | [<mapping.json>]`: makes the API answer from the database of a Django application, by tables of ours in a
 * schema of their own, which triggers on the application's tables keep in step. The mapping is a file, or its JSON; without one it is that
 * which the database keeps. May be run again at any time, and goes on where it was broken off.
 */
export async function adopt(db: Kysely<Database>, args: string[], _note: Note, say: Say): Promise<string[]> {
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { inspect: flag, check: flag, undo: flag },
  });
  const asked = [...Object.entries(values).flatMap(([name, isSet]) => (isSet ? [name] : [])), ...positionals];
  if (asked.length > 1) throw new OperatorError('Expected one of --inspect, --check, --undo and a mapping.');
  const json = positionals[0] === undefined ? undefined : readText(positionals[0]);
  const given = json === undefined ? undefined : readMapping(json);
  return db.connection().execute(async (connection) => {
    if (values.inspect) return inspect(connection, say);
    if (values.check) return check(connection);
    if (values.undo) return inTurn(connection, () => undo(connection));
    return inTurn(connection, async () => follow(connection, db, given ?? (await readAdoptedMapping(connection)), say));
  });
}

/** The file, or the argument itself: where the database is reached by the operators' function there are no files. */
function readText(argument: string): string {
  if (argument.trimStart().startsWith('{')) return argument;
  try {
    return readFileSync(argument, 'utf8');
  } catch (error) {
    throw new OperatorError(`The mapping cannot be read: ${(error as Error).message}`);
  }
}

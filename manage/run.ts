import type { ConnectionSettings } from '../lib/database/connection.ts';
import { runCommand } from './commands.ts';
import { openForOperators } from './database.ts';
import type { Say } from './note.ts';
import { OperatorError } from './operator-error.ts';

/** What a command prints; not `ok`, what the operator did wrong. `userIds`: whom it has acted on. */
export type Outcome = { ok: boolean; output: string[]; userIds: number[] };

/** Runs an operator's command line on the database of the settings. `say` is told what is beside what the command prints. Throws the faults that are not the operator's. */
export async function runCommandLine(settings: ConnectionSettings, words: string[], say: Say): Promise<Outcome> {
  const db = openForOperators(settings);
  const userIds: number[] = [];
  try {
    const output = await runCommand(db, words, (userId) => userIds.push(userId), say);
    return { ok: true, output, userIds };
  } catch (error) {
    if (error instanceof OperatorError) return { ok: false, output: error.message.split('\n'), userIds: [] };
    throw error;
  } finally {
    await db.destroy();
  }
}

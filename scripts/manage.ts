import { readSettings, requireDatabaseUrl, SettingsError } from '../lib/settings.ts';
import { OperatorError, runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';

try {
  const db = openForOperators(requireDatabaseUrl(readSettings(process.env)));
  try {
    for (const line of await runCommand(db, process.argv.slice(2))) console.log(line);
  } finally {
    await db.destroy();
  }
} catch (error) {
  // Anything else is a fault of the database or of ours: its message, for an operator has no use for our stack.
  const isExpected = error instanceof OperatorError || error instanceof SettingsError;
  console.error(isExpected ? error.message : `The command failed: ${toMessage(error)}`);
  process.exitCode = 1;
}

/** Errors of a refused connection to a name with several addresses have no message of their own. */
function toMessage(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(toMessage).join('; ');
  return error instanceof Error ? error.message : String(error);
}

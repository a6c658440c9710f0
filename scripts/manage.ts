import { readSettings, SettingsError } from '../lib/settings.ts';
import { runCommandLine } from '../manage/run.ts';

try {
  const { ok, output } = await runCommandLine(readSettings(process.env), process.argv.slice(2), console.error);
  for (const line of output) (ok ? console.log : console.error)(line);
  if (!ok) process.exitCode = 1;
} catch (error) {
  // Its message alone, for an operator has no use for our stack.
  console.error(error instanceof SettingsError ? error.message : `The command failed: ${toMessage(error)}`);
  process.exitCode = 1;
}

/** Errors of a refused connection to a name with several addresses have no message of their own. */
function toMessage(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(toMessage).join('; ');
  return error instanceof Error ? error.message : String(error);
}

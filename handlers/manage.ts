import { describeError, writeCommandLog } from '../lib/log.ts';
import { readSettings } from '../lib/settings.ts';
import { type Outcome, runCommandLine } from '../manage/run.ts';

const settings = readSettings(process.env);

/**
 * The operators' commands, where the database is: `{"command": "issue-token", "args": ["ann"]}`. It has no route; AWS IAM says who may invoke it.
 * Its answer is what the command prints, or what the operator did wrong. A fault of the database or of ours is thrown, and whatever keeps
 * `migrate` from running, so that a deployment whose migration fails stops.
 */
export async function handler(event: unknown): Promise<Pick<Outcome, 'ok' | 'output'>> {
  const words = readWords(event);
  if (!words) return { ok: false, output: ['Expected {"command": "<name>", "args": ["<text>", …]}.'] };
  const said: string[] = [];
  const { ok, output, userIds } = await runCommandLine(settings, words, (line) => said.push(line)).catch(
    (error: unknown) => {
      // Lambda logs the message, and a message of PostgreSQL may quote somebody's data.
      throw new Error(`The command failed: ${JSON.stringify(describeError(error, { expected: true }))}`);
    },
  );
  writeCommandLog({ ok, ...(ok && { command: words[0] }), ...(userIds.length > 0 && { userIds }) });
  if (words[0] === 'migrate' && !ok) throw new Error(output.join('\n'));
  return { ok, output: [...said, ...output] };
}

function readWords(event: unknown): string[] | undefined {
  if (typeof event !== 'object' || event === null) return undefined;
  const { command, args = [], ...rest } = event as Record<string, unknown>;
  const words: unknown[] = [command, ...(Array.isArray(args) ? args : [undefined])];
  const isWellFormed = Object.keys(rest).length === 0 && words.every((word) => typeof word === 'string');
  return isWellFormed ? (words as string[]) : undefined;
}

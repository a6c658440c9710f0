import { parseArgs } from 'node:util';
import type { Kysely } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { adopt } from './adopt/adopt.ts';
import { seedDemo } from './demo.ts';
import { gatherListed } from './gather.ts';
import { addToGroup, createGroup, removeFromGroup } from './groups.ts';
import { migrateCommand } from './migrate.ts';
import type { Note, Say } from './note.ts';
import { OperatorError } from './operator-error.ts';
import { grant, revoke } from './permissions.ts';
import { createReader } from './reader.ts';
import { listTokens } from './token-list.ts';
import { issueToken, revokeAllTokens, revokeToken, revokeTokens } from './tokens.ts';
import { deleteUser } from './user-deletion.ts';
import { fieldUsage } from './user-fields.ts';
import { createUser, updateUser } from './users.ts';

type Command = {
  usage: string;
  run: (db: Kysely<Database>, args: string[], note: Note, say: Say) => Promise<string[]>;
};

const commands: Record<string, Command> = {
  migrate: { usage: 'migrate [--allow-rewrite]', run: migrateCommand },
  'create-user': {
    usage: 'create-user <username> [<field>]… [--grant <permission code>]…',
    run: createUser,
  },
  'update-user': { usage: 'update-user <username> [<field>]… [--username <new username>]', run: updateUser },
  'delete-user': { usage: 'delete-user <username> --confirm <username>', run: deleteUser },
  grant: { usage: 'grant (<username> | --group <name>) <permission code>', run: grant },
  revoke: { usage: 'revoke (<username> | --group <name>) <permission code>', run: revoke },
  'create-group': { usage: 'create-group <name>', run: createGroup },
  'add-to-group': { usage: 'add-to-group <username> <name of the group>', run: addToGroup },
  'remove-from-group': { usage: 'remove-from-group <username> <name of the group>', run: removeFromGroup },
  'issue-token': {
    usage: 'issue-token <username> [--name <text>] [--issuer <text>] [--expires-in-days <number> | --never-expires]',
    run: issueToken,
  },
  'revoke-token': { usage: 'revoke-token <first digits of its hash>', run: revokeToken },
  'revoke-tokens': { usage: 'revoke-tokens <username>', run: revokeTokens },
  'revoke-all-tokens': { usage: 'revoke-all-tokens <name of the database>', run: revokeAllTokens },
  'list-tokens': { usage: 'list-tokens [<username>] [--ends-within-days <number>]', run: listTokens },
  'create-reader': {
    usage: 'create-reader <role> [--iam | --new-password] [--time-limit-ms <number>]',
    run: createReader,
  },
  'gather-listed': { usage: 'gather-listed', run: gatherListed },
  'seed-demo': {
    usage: 'seed-demo',
    async run(db, args) {
      parseArgs({ args });
      const count = await seedDemo(db);
      return [count > 0 ? `wrote ${count} demo users` : 'the database has users already: nothing written'];
    },
  },
  adopt: { usage: 'adopt [--inspect | --check | --undo | <mapping.json>]', run: adopt },
};

const list = ['Commands:', ...Object.values(commands).map(({ usage }) => `  ${usage}`), ...fieldUsage];

const toUsage = ({ usage }: Command): string[] => [`Usage: ${usage}`, ...(usage.includes('<field>') ? fieldUsage : [])];

/**
 * Runs an operator's command line, `['issue-token', 'ann']`, and returns what it prints. Throws an OperatorError when the line is wrong, before
 * it asks for the database.
 */
export async function runCommand(
  db: Kysely<Database>,
  [name = '', ...args]: string[],
  note: Note = () => {},
  say: Say = () => {},
): Promise<string[]> {
  if (['--help', '-h', 'help'].includes(name)) return list;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new OperatorError(`${name ? `Unknown command "${name}". ` : ''}${list.join('\n')}`);
  if (args.includes('--help')) return toUsage(command);
  try {
    return await command.run(db, args, note, say);
  } catch (error) {
    const isParseError = error instanceof TypeError && 'code' in error && `${error.code}`.startsWith('ERR_PARSE_ARGS');
    throw isParseError ? new OperatorError([error.message, ...toUsage(command)].join('\n')) : error;
  }
}

import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import { hashKey } from '../lib/auth.ts';
import type { Database } from '../lib/database/tables.ts';
import { seedDemo } from './demo.ts';
import { migrate } from './migrate.ts';
import { OperatorError } from './operator-error.ts';
import { createReader } from './reader.ts';

type Command = { usage: string; run: (db: Kysely<Database>, args: string[]) => Promise<string[]> };

const commands: Record<string, Command> = {
  migrate: {
    usage: 'migrate',
    async run(db, args) {
      parseArgs({ args });
      const names = await migrate(db);
      return names.length > 0 ? names.map((name) => `migrated ${name}`) : ['the schema is up to date'];
    },
  },
  'create-user': {
    usage: 'create-user <username> [--email <address>] [--admin | --staff] [--grant <permission code>]…',
    run: createUser,
  },
  'issue-token': { usage: 'issue-token <username> [--expires-in-days <number>]', run: issueToken },
  'revoke-tokens': { usage: 'revoke-tokens <username>', run: revokeTokens },
  'list-tokens': { usage: 'list-tokens <username>', run: listTokens },
  'create-reader': {
    usage: 'create-reader <role> [--iam | --new-password] [--time-limit-ms <number>]',
    run: createReader,
  },
  'seed-demo': {
    usage: 'seed-demo',
    async run(db, args) {
      parseArgs({ args });
      const count = await seedDemo(db);
      return [count > 0 ? `wrote ${count} demo users` : 'the database has users already: nothing written'];
    },
  },
};

/** Runs an operator's command line, `['issue-token', 'ann']`, and returns what it prints. Throws an OperatorError when the line is wrong. */
export async function runCommand(db: Kysely<Database>, [name = '', ...args]: string[]): Promise<string[]> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const usages = Object.values(commands).map(({ usage }) => `  ${usage}`);
    throw new OperatorError([name ? `Unknown command "${name}". Commands:` : 'Commands:', ...usages].join('\n'));
  }
  try {
    return await command.run(db, args);
  } catch (error) {
    const isParseError = error instanceof TypeError && 'code' in error && `${error.code}`.startsWith('ERR_PARSE_ARGS');
    throw isParseError ? new OperatorError(`${error.message}\nUsage: ${command.usage}`) : error;
  }
}

async function createUser(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      email: { type: 'string' },
      admin: { type: 'boolean', default: false },
      staff: { type: 'boolean', default: false },
      grant: { type: 'string', multiple: true, default: [] },
    },
  });
  const username = readUsername(positionals);
  const { email = null, admin, staff } = values;
  if (admin && staff) throw new OperatorError('Give --admin or --staff, not both: an admin may do all that staff may.');
  const codes = values.grant.map((text) => readWholeNumber('--grant', text));

  return db.transaction().execute(async (trx) => {
    const taken = await trx
      .selectFrom('users')
      .where((eb) => eb.or([eb('username', '=', username), eb('email', '=', email)]))
      .select('username')
      .executeTakeFirst();
    if (taken) throw new OperatorError(`There is a user "${taken.username}" of that name or e-mail address already.`);
    const known = await trx.selectFrom('permissions').select('code').execute();
    const unknown = codes.find((code) => !known.some((permission) => permission.code === code));
    if (unknown !== undefined) {
      throw new OperatorError(
        `There is no permission ${unknown}; there are ${known.map(({ code }) => code).join(', ')}.`,
      );
    }
    const { id } = await trx
      .insertInto('users')
      .values({ username, email, is_admin: admin, is_staff: staff, is_customer: !admin && !staff })
      .returning('id')
      .executeTakeFirstOrThrow();
    if (codes.length > 0) {
      const grants = [...new Set(codes)].map((permission_code) => ({ user_id: id, permission_code }));
      await trx.insertInto('user_permissions').values(grants).execute();
    }
    return [`created ${admin ? 'admin' : staff ? 'staff user' : 'customer'} ${username}, id ${id}`];
  });
}

async function issueToken(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'expires-in-days': { type: 'string' } },
  });
  const days = values['expires-in-days'];
  const user = await findUser(db, readUsername(positionals));
  const key = randomBytes(20).toString('hex'); // 40 hexadecimal digits, as DRF's keys
  const expires_at = days === undefined ? null : sql<string>`now() + make_interval(days => ${readDays(days)})`;
  await db
    .insertInto('auth_tokens')
    .values({ token_hash: hashKey(key), user_id: user.id, expires_at })
    .execute();
  return [key];
}

async function revokeTokens(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const user = await findUser(db, readOnlyUsername(args));
  const { numDeletedRows } = await db
    .deleteFrom('auth_tokens')
    .where('user_id', '=', user.id)
    .executeTakeFirstOrThrow();
  return [`revoked ${numDeletedRows} of ${user.username}'s tokens`];
}

async function listTokens(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const user = await findUser(db, readOnlyUsername(args));
  const utc = (column: 'created_at' | 'expires_at') =>
    sql<string | null>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD HH24:MI')`.as(column);
  const tokens = await db
    .selectFrom('auth_tokens')
    .where('user_id', '=', user.id)
    .select([sql<string>`left(encode(token_hash, 'hex'), 8)`.as('prefix'), utc('created_at'), utc('expires_at')])
    .orderBy('auth_tokens.created_at')
    .execute();
  const lines = tokens.map(
    ({ prefix, created_at, expires_at }) => `${prefix}  ${created_at}  ${expires_at ?? 'never'}`,
  );
  return ['hash      created (UTC)     expires (UTC)', ...lines];
}

async function findUser(db: Kysely<Database>, username: string): Promise<{ id: number; username: string }> {
  const user = await db
    .selectFrom('users')
    .where('username', '=', username)
    .select(['id', 'username'])
    .executeTakeFirst();
  if (!user) throw new OperatorError(`There is no user "${username}".`);
  return user;
}

function readOnlyUsername(args: string[]): string {
  return readUsername(parseArgs({ args, allowPositionals: true }).positionals);
}

function readUsername(positionals: string[]): string {
  const [username, ...rest] = positionals;
  if (!username || rest.length > 0) throw new OperatorError(`Expected one username; got ${positionals.length}.`);
  return username;
}

function readWholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new OperatorError(`${option} must be a whole number, not "${text}".`);
  return Number(text);
}

function readDays(text: string): number {
  const days = readWholeNumber('--expires-in-days', text);
  if (days < 1 || days > 36_500) throw new OperatorError(`--expires-in-days must be from 1 to 36500, not ${days}.`);
  return days;
}

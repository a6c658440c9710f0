import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import { hashKey } from '../lib/auth.ts';
import type { Database } from '../lib/database/tables.ts';
import { readDays, readOnlyUsername, readUsername, requireText } from './arguments.ts';
import type { Note } from './note.ts';
import { OperatorError } from './operator-error.ts';
import { readDatabaseName, requireTables } from './schema.ts';
import { findUser } from './user-lookup.ts';

/** What nobody renews ends: a key outlives the one who has it otherwise. */
const defaultDays = 90;

/** `issue-token ann --name export`: prints a new key, the only time that it is seen; the database keeps its hash. */
export async function issueToken(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      issuer: { type: 'string' },
      'expires-in-days': { type: 'string' },
      'never-expires': { type: 'boolean', default: false },
    },
  });
  const { name = null, issuer, 'expires-in-days': days, 'never-expires': never } = values;
  const username = readUsername(positionals);
  if (never && days !== undefined) throw new OperatorError('Give --expires-in-days or --never-expires, not both.');
  if (name !== null) requireText('--name', name);
  if (issuer !== undefined) requireText('--issuer', issuer);
  const validDays = days === undefined ? defaultDays : readDays('--expires-in-days', days);
  const user = await findUser(db, username);
  const key = randomBytes(20).toString('hex'); // 40 hexadecimal digits, as DRF's keys
  const expires_at = never ? null : sql<string>`now() + make_interval(days => ${validDays})`;
  await db
    .insertInto('auth_tokens')
    .values({ token_hash: hashKey(key), user_id: user.id, expires_at, name, ...(issuer !== undefined && { issuer }) })
    .execute();
  note(user.id);
  return [key];
}

/** `revoke-token 1a2b3c4d`: ends one token, by the first digits of its hash, as the log and `list-tokens` name it. */
export async function revokeToken(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const [prefix = '', ...rest] = parseArgs({ args, allowPositionals: true }).positionals;
  if (rest.length > 0 || !/^[0-9a-f]{8,64}$/i.test(prefix)) {
    throw new OperatorError(
      "Expected the first digits of a token's hash, eight or more, as `list-tokens` prints them.",
    );
  }
  await requireTables(db);
  return db.transaction().execute(async (trx) => {
    const tokens = await trx
      .deleteFrom('auth_tokens')
      .using('users')
      .whereRef('users.id', '=', 'user_id')
      .where(sql<string>`encode(token_hash, 'hex')`, 'like', `${prefix.toLowerCase()}%`)
      .returning(['users.id', 'username', 'name', sql<string>`encode(token_hash, 'hex')`.as('hash')])
      .execute();
    const [token, ...others] = tokens;
    if (!token) throw new OperatorError(`There is no token whose hash begins with ${prefix}.`);
    if (others.length > 0) {
      const hashes = tokens.map(({ hash }) => hash).toSorted();
      throw new OperatorError(`Several tokens' hashes begin with ${prefix}; give more digits: ${hashes.join(', ')}.`);
    }
    note(Number(token.id));
    return [
      `revoked ${token.username}'s token ${token.hash.slice(0, 8)}${token.name === null ? '' : ` (${token.name})`}`,
    ];
  });
}

/** `revoke-tokens ann`: ends all tokens of a user at once. */
export async function revokeTokens(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const user = await findUser(db, readOnlyUsername(args));
  const { numDeletedRows } = await db
    .deleteFrom('auth_tokens')
    .where('user_id', '=', user.id)
    .executeTakeFirstOrThrow();
  note(user.id);
  return [`revoked ${numDeletedRows} of ${user.username}'s tokens`];
}

/**
 * `revoke-all-tokens staging`: ends every token in the database of that name. A restore brings revoked keys back, and a copy lets everybody in
 * who is let in where it comes from.
 */
export async function revokeAllTokens(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const { positionals } = parseArgs({ args, allowPositionals: true });
  await requireTables(db);
  const name = await readDatabaseName(db);
  if (positionals.length !== 1 || positionals[0] !== name) {
    throw new OperatorError(
      `Expected the name of the database whose clients all lose their tokens: this one is "${name}".`,
    );
  }
  const { numDeletedRows } = await db.deleteFrom('auth_tokens').executeTakeFirstOrThrow();
  return [`revoked all ${numDeletedRows} tokens in ${name}`];
}

import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import { hashKey } from '../lib/auth.ts';
import type { Database } from '../lib/database/tables.ts';
import { readDays, readOnlyUsername, readUsername } from './arguments.ts';
import { OperatorError } from './operator-error.ts';
import { requireTables } from './schema.ts';

/** `issue-token ann --expires-in-days 90`: prints a new key, the only time that it is seen; the database keeps its hash. */
export async function issueToken(db: Kysely<Database>, args: string[]): Promise<string[]> {
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

/** `revoke-tokens ann`: ends all tokens of a user at once. */
export async function revokeTokens(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const user = await findUser(db, readOnlyUsername(args));
  const { numDeletedRows } = await db
    .deleteFrom('auth_tokens')
    .where('user_id', '=', user.id)
    .executeTakeFirstOrThrow();
  return [`revoked ${numDeletedRows} of ${user.username}'s tokens`];
}

/** `list-tokens ann`: a line for each, by the first eight digits of its hash, as the log names it. */
export async function listTokens(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const user = await findUser(db, readOnlyUsername(args));
  const tokens = await db
    .selectFrom('auth_tokens')
    .where('user_id', '=', user.id)
    .select([
      sql<string>`left(encode(token_hash, 'hex'), 8)`.as('prefix'),
      toUtcText('created_at'),
      toUtcText('expires_at'),
    ])
    .orderBy('auth_tokens.created_at')
    .execute();
  const lines = tokens.map(
    ({ prefix, created_at, expires_at }) => `${prefix}  ${created_at}  ${expires_at ?? 'never'}`,
  );
  return ['hash      created (UTC)     expires (UTC)', ...lines];
}

/** To the minute, whatever the session's time zone and DateStyle; what was before the year 1 ends in ` BC`, infinities are named. */
function toUtcText<Column extends 'created_at' | 'expires_at'>(column: Column) {
  const time = sql.ref(column);
  const ofEra = sql`case when ${time} < '0001-01-01Z' then 'YYYY-MM-DD HH24:MI" BC"' else 'YYYY-MM-DD HH24:MI' end`;
  return sql<string | null>`coalesce(to_char(${time} at time zone 'UTC', ${ofEra}), ${time}::text)`.as(column);
}

async function findUser(db: Kysely<Database>, username: string): Promise<{ id: number; username: string }> {
  await requireTables(db);
  const user = await db
    .selectFrom('users')
    .where('username', '=', username)
    .select(['id', 'username'])
    .executeTakeFirst();
  if (!user) throw new OperatorError(`There is no user "${username}".`);
  return user;
}

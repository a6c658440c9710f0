import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { readDays, readUsername } from './arguments.ts';
import type { Note } from './note.ts';
import { OperatorError } from './operator-error.ts';
import { requireTables } from './schema.ts';
import { findUser } from './user-lookup.ts';

/** How long before its end a token is marked. */
const soonDays = 14;

/**
 * `list-tokens`, `list-tokens ann`: a line for each, by the first eight digits of its hash, as the log names it. With `--ends-within-days 14`
 * those alone that end by then, or have ended; where there are any, that is an OperatorError, so that a schedule notices.
 */
export async function listTokens(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'ends-within-days': { type: 'string' } },
  });
  const within = values['ends-within-days'];
  const days = within === undefined ? undefined : readDays('--ends-within-days', within);
  const user = positionals.length > 0 ? await findUser(db, readUsername(positionals), 'read') : undefined;
  if (user) note(user.id);
  else await requireTables(db, 'read');
  const tokens = await readTokens(db, user?.id, days);
  const lines = toLines(tokens);
  if (days === undefined) return lines;
  if (tokens.length === 0) return [`no token ends within ${days} days`];
  throw new OperatorError(lines.join('\n'));
}

async function readTokens(db: Kysely<Database>, userId: number | undefined, days: number | undefined) {
  return db
    .selectFrom('auth_tokens')
    .innerJoin('users', 'users.id', 'user_id')
    .$if(userId !== undefined, (tokens) => tokens.where('user_id', '=', userId as number))
    .$if(days !== undefined, (tokens) =>
      tokens.where('expires_at', '<', sql<string>`now() + make_interval(days => ${days})`),
    )
    .select([
      sql<string>`left(encode(token_hash, 'hex'), 8)`.as('prefix'),
      toUtcText('created_at'),
      toUtcText('expires_at'),
      'username',
      'name',
      'issuer',
      sql<boolean>`coalesce(expires_at <= now(), false)`.as('isOver'),
      sql<boolean>`coalesce(expires_at < now() + make_interval(days => ${soonDays}), false)`.as('isSoon'),
    ])
    .orderBy('auth_tokens.created_at')
    .orderBy('token_hash')
    .execute();
}

type Token = Awaited<ReturnType<typeof readTokens>>[number];

function toLines(tokens: Token[]): string[] {
  const rows = tokens.map(({ prefix, created_at, expires_at, username, name, issuer, isOver, isSoon }) => [
    prefix,
    created_at ?? '',
    expires_at ?? 'never',
    isOver ? 'ended' : isSoon ? 'soon' : '',
    username,
    issuer,
    name ?? '',
  ]);
  const table = [['hash', 'created (UTC)', 'expires (UTC)', '', 'user', 'issued by', 'name'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** To the minute, whatever the session's time zone and DateStyle; what was before the year 1 ends in ` BC`, infinities are named. */
function toUtcText<Column extends 'created_at' | 'expires_at'>(column: Column) {
  const time = sql.ref(`auth_tokens.${column}`);
  const ofEra = sql`case when ${time} < '0001-01-01Z' then 'YYYY-MM-DD HH24:MI" BC"' else 'YYYY-MM-DD HH24:MI' end`;
  return sql<string | null>`coalesce(to_char(${time} at time zone 'UTC', ${ofEra}), ${time}::text)`.as(column);
}

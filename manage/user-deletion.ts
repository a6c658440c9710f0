import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { readUsername } from './arguments.ts';
import type { Note } from './note.ts';
import { OperatorError } from './operator-error.ts';
import { findUser } from './user-lookup.ts';

/**
 * `delete-user ann --confirm ann`: deletes a user for good, and what is the user's alone. Said once, the name is answered with what would go:
 * nothing brings it back.
 */
export async function deleteUser(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { confirm: { type: 'string' } },
  });
  const username = readUsername(positionals);
  const deleted = db.transaction().execute(async (trx) => {
    const { id } = await findUser(trx, username);
    const consequences = toConsequences(await countBelongings(trx, id));
    if (values.confirm !== username) {
      throw new OperatorError(
        [
          `This deletes ${username}, id ${id}, for good; ${consequences}.`,
          `If that is meant, add the name again: --confirm "${username}". To shut the user out and keep it: update-user --no-active.`,
        ].join('\n'),
      );
    }
    // Before the foreign key does so, which would not say when.
    await trx
      .updateTable('users')
      .set({ invited_by_id: null, updated_at: sql`now()` })
      .where('invited_by_id', '=', id)
      .execute();
    await trx.deleteFrom('users').where('id', '=', id).execute();
    note(id);
    return [`deleted ${username}, id ${id}; ${consequences}`];
  });
  return deleted.catch((error: unknown) => {
    throw toRefusal(username, error) ?? error;
  });
}

type Belongings = { tokens: number; permissions: number; groups: number; invitees: number };

async function countBelongings(trx: Kysely<Database>, id: number): Promise<Belongings> {
  const { rows } = await sql<Belongings>`
    select (select count(*)::int from auth_tokens where user_id = ${id}) as tokens,
      (select count(*)::int from user_permissions where user_id = ${id}) as permissions,
      (select count(*)::int from user_groups where user_id = ${id}) as groups,
      (select count(*)::int from users where invited_by_id = ${id}) as invitees`.execute(trx);
  return rows[0] as Belongings;
}

const toConsequences = ({ tokens, permissions, groups, invitees }: Belongings): string =>
  `with it go when it was last seen, its tokens (${tokens}), its own permissions (${permissions}) and its places in groups (${groups}); users whom it has invited (${invitees}) stay, without an inviter`;

/** Another program's table that refers to users decides by its foreign key whether they may go. */
function toRefusal(username: string, error: unknown): OperatorError | undefined {
  const { code, table } = error as { code?: unknown; table?: unknown };
  // 23001, restrict_violation, from PostgreSQL 18 on where the key says "on delete restrict"
  if (code !== '23503' && code !== '23001') return undefined;
  return new OperatorError(`Rows of the table "${table}" refer to ${username}: nothing was deleted.`);
}

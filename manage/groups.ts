import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { requireText } from './arguments.ts';
import type { Note } from './note.ts';
import { OperatorError } from './operator-error.ts';
import { requireTables } from './schema.ts';
import { findUser } from './user-lookup.ts';

/** How many groups an operator is told who has named another. */
const mostToldGroups = 20;

/** `create-group Support`: writes one group, without members. */
export async function createGroup(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const [name = '', ...rest] = parseArgs({ args, allowPositionals: true }).positionals;
  if (rest.length > 0) throw new OperatorError(`Expected the name of one group; got ${rest.length + 1} words.`);
  requireText('The name of a group', name);
  await requireTables(db);
  const group = await db
    .insertInto('groups')
    .values({ name })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!group) throw new OperatorError(`There is a group "${name}" already.`);
  return [`created group ${name}, id ${group.id}`];
}

/** `add-to-group ann Support` */
export async function addToGroup(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const asked = readMembership(args);
  return db.transaction().execute(async (trx) => {
    const { user, group } = await findMembership(trx, asked, note);
    const added = await trx
      .insertInto('user_groups')
      .values({ user_id: user.id, group_id: group.id })
      .onConflict((conflict) => conflict.doNothing())
      .returning('user_id')
      .execute();
    if (added.length === 0) return [`${user.username} is in the group "${group.name}" already: nothing written`];
    await setUpdated(trx, user.id);
    return [`added ${user.username} to the group "${group.name}"`];
  });
}

/** `remove-from-group ann Support` */
export async function removeFromGroup(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const asked = readMembership(args);
  return db.transaction().execute(async (trx) => {
    const { user, group } = await findMembership(trx, asked, note);
    const removed = await trx
      .deleteFrom('user_groups')
      .where('user_id', '=', user.id)
      .where('group_id', '=', group.id)
      .returning('user_id')
      .execute();
    if (removed.length === 0) return [`${user.username} is not in the group "${group.name}": nothing written`];
    await setUpdated(trx, user.id);
    return [`removed ${user.username} from the group "${group.name}"`];
  });
}

export async function findGroup(db: Kysely<Database>, name: string): Promise<{ id: number; name: string }> {
  await requireTables(db);
  const group = await db.selectFrom('groups').where('name', '=', name).select(['id', 'name']).executeTakeFirst();
  if (group) return { ...group, id: Number(group.id) }; // int8 comes as text
  const groups = await db
    .selectFrom('groups')
    .select('name')
    .orderBy('id')
    .limit(mostToldGroups + 1)
    .execute();
  const names = groups.map((other, index) => (index < mostToldGroups ? `"${other.name}"` : '…'));
  throw new OperatorError(`There is no group "${name}"; there are ${names.join(', ') || 'none'}.`);
}

function readMembership(args: string[]): [username: string, group: string] {
  const { positionals } = parseArgs({ args, allowPositionals: true });
  const [username, group, ...rest] = positionals;
  if (username !== undefined && group !== undefined && rest.length === 0) return [username, group];
  throw new OperatorError(`Expected a username and the name of a group; got ${positionals.length} words.`);
}

async function findMembership(trx: Kysely<Database>, [username, name]: [string, string], note: Note) {
  const user = await findUser(trx, username);
  const group = await findGroup(trx, name);
  note(user.id);
  return { user, group };
}

/** The groups are among what the endpoint shows of a user. */
async function setUpdated(trx: Kysely<Database>, userId: number): Promise<void> {
  await trx.updateTable('users').set({ updated_at: sql`now()` }).where('id', '=', userId).execute();
}

import type { Kysely } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';
import { requireTables } from './schema.ts';

export async function findUser(
  db: Kysely<Database>,
  username: string,
  use: 'read' | 'write' = 'write',
): Promise<{ id: number; username: string }> {
  await requireTables(db, use);
  const user = await db
    .selectFrom('users')
    .where('username', '=', username)
    .select(['id', 'username'])
    .executeTakeFirst();
  if (!user) throw new OperatorError(`There is no user "${username}".`);
  return { ...user, id: Number(user.id) }; // int8 comes as text
}

import { type Kysely, sql } from 'kysely';
import { hashKey } from '../lib/auth.ts';
import type { Database } from '../lib/database/tables.ts';
import { demoUsers, inventedIds } from './demo-users.ts';
import { requireTables } from './schema.ts';

/** The key of the documentation's example request; it is user 1's, an admin. Public, so for demo data only. */
export const demoKey = 'f4e75eab6e0f663a972d145478d6fc4b81762070';

const groupNames = ['Support', 'Finance', 'Content, "quoted"', 'پشتیبانی', 'Empty'];

/** Writes the demo data, all or nothing, and only into a database without users. Returns the number of users written. */
export async function seedDemo(db: Kysely<Database>): Promise<number> {
  return db.transaction().execute(async (trx) => {
    await requireTables(trx);
    const someone = await trx.selectFrom('users').select('id').limit(1).executeTakeFirst();
    if (someone) return 0;
    await trx.insertInto('users').values(demoUsers).execute();
    // The ids were given, so the identity has to learn of them.
    await sql`select setval(pg_get_serial_sequence('users', 'id'), (select max(id) from users))`.execute(trx);
    await seedGroups(trx);
    await trx
      .insertInto('auth_tokens')
      .values({ token_hash: hashKey(demoKey), user_id: 1, expires_at: null })
      .execute();
    await trx
      .insertInto('user_presence')
      .values([
        { user_id: 2, last_seen_at: 'infinity' }, // online in the documentation, so online whenever one looks
        { user_id: 4, last_seen_at: sql`now()` },
        { user_id: 5, last_seen_at: sql`now() - interval '1 hour'` },
      ])
      .execute();
    return demoUsers.length;
  });
}

async function seedGroups(db: Kysely<Database>): Promise<void> {
  const groups = await db
    .insertInto('groups')
    .values(groupNames.map((name) => ({ name })))
    .returning('id')
    .execute();
  const ids = groups.map(({ id }) => id).slice(0, -1);
  const memberships = ids.flatMap((group_id, index) =>
    inventedIds.filter((user_id) => user_id % (index + 2) === 0).map((user_id) => ({ user_id, group_id })),
  );
  await db.insertInto('user_groups').values(memberships).execute();
  await db
    .insertInto('group_permissions')
    .values({ group_id: ids[0] as number, permission_code: 1222 })
    .execute();
}

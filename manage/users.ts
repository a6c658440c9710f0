import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { readUsername, readWholeNumber, requireAddress, requireText } from './arguments.ts';
import type { Note } from './note.ts';
import { OperatorError } from './operator-error.ts';
import { requirePermissions } from './permissions.ts';
import { requireTables } from './schema.ts';

/** `create-user ann --staff --grant 1222`: writes one user, with the permissions given to it directly. */
export async function createUser(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
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
  requireText('A username', username);
  if (email !== null) requireAddress(email);
  if (admin && staff) throw new OperatorError('Give --admin or --staff, not both: an admin may do all that staff may.');
  const codes = values.grant.map((text) => readWholeNumber('--grant', text));

  return db.transaction().execute(async (trx) => {
    await requireTables(trx);
    const taken = await trx
      .selectFrom('users')
      .where((eb) => eb.or([eb('username', '=', username), sql<boolean>`lower(email) = lower(${email})`]))
      .select('username')
      .executeTakeFirst();
    if (taken) throw new OperatorError(`There is a user "${taken.username}" of that name or e-mail address already.`);
    await requirePermissions(trx, codes);
    const { id } = await trx
      .insertInto('users')
      .values({ username, email, is_admin: admin, is_staff: staff, is_customer: !admin && !staff })
      .returning('id')
      .executeTakeFirstOrThrow();
    if (codes.length > 0) {
      const grants = [...new Set(codes)].map((permission_code) => ({ user_id: id, permission_code }));
      await trx.insertInto('user_permissions').values(grants).execute();
    }
    note(Number(id));
    return [`created ${admin ? 'admin' : staff ? 'staff user' : 'customer'} ${username}, id ${id}`];
  });
}

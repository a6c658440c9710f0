import { parseArgs } from 'node:util';
import { type Kysely, sql, type Updateable } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { readUsername, readWholeNumber, requireText } from './arguments.ts';
import type { Note } from './note.ts';
import { OperatorError } from './operator-error.ts';
import { requirePermissions } from './permissions.ts';
import { requireTables } from './schema.ts';
import { fieldOptions, type GivenFields, readFields } from './user-fields.ts';
import { findUser } from './user-lookup.ts';

type Row = Updateable<Database['users']>;

/** `create-user ann --staff --grant 1222`: writes one user, with the permissions given to it directly. */
export async function createUser(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...fieldOptions, grant: { type: 'string', multiple: true } },
  });
  const username = readUsername(positionals);
  requireText('A username', username);
  const given = readFields(values);
  const { is_admin = false, is_staff = false } = given.row;
  if (is_admin && is_staff) {
    throw new OperatorError('Give --admin or --staff, not both: an admin may do all that staff may.');
  }
  const { grant = [] } = values as { grant?: string[] };
  const codes = grant.map((text) => readWholeNumber('--grant', text));

  return db.transaction().execute(async (trx) => {
    await requireTables(trx);
    const row = { username, is_customer: !is_admin && !is_staff, ...(await toRow(trx, given)) };
    await requireFree(trx, row);
    await requirePermissions(trx, codes);
    const { id } = await trx.insertInto('users').values(row).returning('id').executeTakeFirstOrThrow();
    if (codes.length > 0) {
      const grants = [...new Set(codes)].map((permission_code) => ({ user_id: id, permission_code }));
      await trx.insertInto('user_permissions').values(grants).execute();
    }
    note(Number(id));
    return [`created ${is_admin ? 'admin' : is_staff ? 'staff user' : 'customer'} ${username}, id ${id}`];
  });
}

/** `update-user ann --email ann@example.com --no-staff`: writes what is said of the user, and when, where it is anything new. */
export async function updateUser(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...fieldOptions, username: { type: 'string' } },
  });
  const username = readUsername(positionals);
  const given = readFields(values);
  const { username: next } = values as { username?: string };
  if (next !== undefined) requireText('--username', next);
  if (Object.keys(values).length === 0) {
    throw new OperatorError('Expected what is to be changed, such as --email <address>; update-user --help lists it.');
  }

  return db.transaction().execute(async (trx) => {
    const { id } = await findUser(trx, username);
    const row = { ...(await toRow(trx, given)), ...(next !== undefined && { username: next }) };
    if (row.invited_by_id === id) throw new OperatorError('--invited-by must be another user.');
    await requireFree(trx, row, id);
    note(id);
    const news = Object.entries(row).map(
      ([column, value]) => sql<boolean>`${sql.ref(column)} is distinct from ${value}`,
    );
    const { numUpdatedRows } = await trx
      .updateTable('users')
      .set({ ...row, updated_at: sql`now()` })
      .where('id', '=', id)
      .where((eb) => eb.or(news))
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return [`${username}, id ${id}, is so already: nothing written`];
    return [`updated ${username}, id ${id}: ${Object.keys(row).join(', ')}`];
  });
}

async function toRow(trx: Kysely<Database>, { row, inviter }: GivenFields): Promise<GivenFields['row']> {
  if (inviter === undefined) return row;
  return { ...row, invited_by_id: inviter === null ? null : (await findUser(trx, inviter)).id };
}

const uniqueColumns = ['username', 'email', 'mobile_number', 'invite_code'] as const;

/** Throws where another user than the one of `ownId` has what may be one user's alone; an address in whatever letter case. */
async function requireFree(trx: Kysely<Database>, row: Row, ownId: number | null = null): Promise<void> {
  for (const column of uniqueColumns) {
    const value = row[column];
    if (!value) continue;
    const taken = await trx
      .selectFrom('users')
      .where(
        column === 'email' ? sql<boolean>`lower(email) = lower(${value})` : sql<boolean>`${sql.ref(column)} = ${value}`,
      )
      .where('id', 'is distinct from', ownId)
      .select('username')
      .executeTakeFirst();
    if (taken) throw new OperatorError(`The user "${taken.username}" has that ${column.replace('_', ' ')} already.`);
  }
}

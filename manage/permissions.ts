import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { readWholeNumber } from './arguments.ts';
import { findGroup } from './groups.ts';
import type { Note } from './note.ts';
import { OperatorError } from './operator-error.ts';
import { findUser } from './user-lookup.ts';

/** `grant ann 1222`, `grant --group Support 1222`: gives a permission to a user, or to whoever is in a group. */
export async function grant(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const { code, ...asked } = readGrant(args);
  return db.transaction().execute(async (trx) => {
    const { name, table, column, id } = await findHolder(trx, asked, note);
    await requirePermissions(trx, [code]);
    const { rows } = await sql`
      insert into ${sql.table(table)} (${sql.ref(column)}, permission_code) values (${id}, ${code})
      on conflict do nothing returning permission_code`.execute(trx);
    return [rows.length > 0 ? `granted ${code} to ${name}` : `${name} has ${code} already: nothing written`];
  });
}

/** `revoke ann 1222`, `revoke --group Support 1222`: takes it back, and says through which groups the user has it still. */
export async function revoke(db: Kysely<Database>, args: string[], note: Note): Promise<string[]> {
  const { code, ...asked } = readGrant(args);
  return db.transaction().execute(async (trx) => {
    const { name, table, column, id } = await findHolder(trx, asked, note);
    await requirePermissions(trx, [code]);
    const { rows } = await sql`
      delete from ${sql.table(table)} where ${sql.ref(column)} = ${id} and permission_code = ${code}
      returning permission_code`.execute(trx);
    const done = rows.length > 0 ? `revoked ${code} from ${name}` : `${name} was not granted ${code}: nothing written`;
    const groups = column === 'user_id' ? await listGrantingGroups(trx, id, code) : [];
    return [done, ...groups.map((group) => `${name} still has ${code} through the group "${group}"`)];
  });
}

/** Throws where a code is that of no permission. */
export async function requirePermissions(trx: Kysely<Database>, codes: number[]): Promise<void> {
  const known = await trx.selectFrom('permissions').select('code').orderBy('code').execute();
  const unknown = codes.find((code) => !known.some((permission) => permission.code === code));
  if (unknown === undefined) return;
  throw new OperatorError(`There is no permission ${unknown}; there are ${known.map(({ code }) => code).join(', ')}.`);
}

type Asked = { username: string | undefined; group: string | undefined };

function readGrant(args: string[]): Asked & { code: number } {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { group: { type: 'string' } } });
  const { group } = values;
  const [code = '', username, ...rest] = positionals.toReversed();
  if (code === '' || rest.length > 0 || (username === undefined) === (group === undefined)) {
    throw new OperatorError('Expected a username, or --group <name>, and one permission code.');
  }
  return { username, group, code: readWholeNumber('A permission code', code) };
}

async function findHolder(trx: Kysely<Database>, { username = '', group }: Asked, note: Note) {
  if (group !== undefined) {
    const { id, name } = await findGroup(trx, group);
    return { name: `the group "${name}"`, table: 'group_permissions', column: 'group_id', id };
  }
  const user = await findUser(trx, username);
  note(user.id);
  return { name: user.username, table: 'user_permissions', column: 'user_id', id: user.id };
}

async function listGrantingGroups(trx: Kysely<Database>, userId: number, code: number): Promise<string[]> {
  const groups = await trx
    .selectFrom('user_groups')
    .innerJoin('groups', 'groups.id', 'user_groups.group_id')
    .innerJoin('group_permissions', 'group_permissions.group_id', 'groups.id')
    .where('user_id', '=', userId)
    .where('permission_code', '=', code)
    .orderBy('groups.id')
    .select('name')
    .execute();
  return groups.map(({ name }) => name);
}

import type { Kysely } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import type { Say } from '../note.ts';
import { OperatorError } from '../operator-error.ts';
import { completeReferences, readTables, referenceTo, type Table, toName, uniqueReferenceTo } from './catalog.ts';
import { findColumn, guessColumns, guessPath } from './guesses.ts';
import { describeRoles, guessGender, guessPermission } from './inspect-data.ts';
import type { Mapping } from './mapping.ts';
import { findTokens } from './plan-tokens.ts';
import { deletedNames, lastSeenNames } from './synonyms.ts';

/** Tables of Django's own and of tokens, which refer to whoever may sign in. */
const referring = ['authtoken_token', 'knox_authtoken', 'django_admin_log'];

/** `adopt --inspect`: a mapping, by what is in the catalog; what has to be looked at is said beside. Writes nothing. */
export async function inspect(db: Kysely<Database>, say: Say): Promise<string[]> {
  const tables = await readTables(db);
  const users = findUsers(tables);
  completeReferences(tables, users);
  const profiles = tables.filter((table) => isProfile(table, users));
  const joins = Object.fromEntries(profiles.map((table) => [toJoin(table, users), table] as const));
  const columns = guessColumns(users, joins, await describeRoles(db, users), say);
  const gender = columns.gender === undefined ? 'gender' : columns.gender;
  if (typeof gender === 'string') columns.gender = await guessGender(db, users, joins, gender, say);
  const lastSeen = guessPath(users, joins, lastSeenNames);
  if (lastSeen === null) say('last_seen: nothing says when a user was seen last, so nobody will be online.');
  const deleted = deletedNames.map((name) => findColumn(users, name)).find((column) => column !== undefined);
  const hidden = deleted && (deleted.type === 'boolean' ? deleted.name : { set: deleted.name });
  if (deleted) say(`hidden: taken for soft deletion; whoever "${deleted.name}" hides will be as deleted to the API.`);
  if (findTokens(tables).length === 0)
    say('tokens: there is no table authtoken_token or knox_authtoken; adopt says what can be done.');
  if (findTokens(tables).includes('knox_authtoken'))
    say(
      'token_hash: set TOKEN_HASH=sha512 for the function. Of django-rest-knox before 5.0 it is sha512-hex, here and there.',
    );
  const used = JSON.stringify([columns, lastSeen]);
  const usedJoins = Object.entries(joins).filter(([join]) => used.includes(`"${join}.`));
  const mapping: Mapping = {
    $schema: 'docs/adopt-mapping.schema.json',
    users: toName(users),
    ...(usedJoins.length > 0 && { joins: Object.fromEntries(usedJoins.map(([join, table]) => [join, toName(table)])) }),
    columns,
    ...(hidden !== undefined && { hidden }),
    last_seen: lastSeen,
    ...(!hasGroups(tables, users) && { groups: null }),
    permission: await guessPermission(db, users, say),
  };
  return JSON.stringify(mapping, null, 2).split('\n');
}

function findUsers(tables: Table[]): Table {
  const isReferring = tables.filter(({ name }) => referring.includes(name));
  const found = tables.filter((table) =>
    isReferring.some((one) => referenceTo(one, table) && table.name !== 'django_content_type'),
  );
  const [users, ...others] = found;
  if (users && others.length === 0) return users;
  throw new OperatorError(
    users
      ? `Several tables may be that of the users: ${found.map(toName).join(', ')}. Write the mapping by hand (docs/adopt.md).`
      : `There is no table to which ${referring.join(', ')} refer: is this the database of a Django application? Else write the mapping by hand (docs/adopt.md).`,
  );
}

/** One row a user, besides tokens. */
function isProfile(table: Table, users: Table): boolean {
  return table !== users && uniqueReferenceTo(table, users) !== undefined && !referring.includes(table.name);
}

/** `people_profile` → profile */
function toJoin({ name }: Table, users: Table): string {
  const app = users.name.replace(/_[^_]*$/, '');
  return name.startsWith(`${app}_`) ? name.slice(app.length + 1) : (name.split('_').at(-1) ?? name);
}

const hasGroups = (tables: Table[], users: Table): boolean =>
  tables.some(
    (table) =>
      referenceTo(table, users) &&
      tables.some(({ name, id }) => name === 'auth_group' && table.references.some((one) => one.table === id)),
  );

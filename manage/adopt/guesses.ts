import type { Say } from '../note.ts';
import type { Column, Table } from './catalog.ts';
import { columnForms, type Mapping } from './mapping.ts';
import { synonyms } from './synonyms.ts';

type Columns = Mapping['columns'];
type Name = keyof Columns;
type Joins = Record<string, Table>;

export const findColumn = (table: Table, name: string): Column | undefined =>
  table.columns.find((column) => column.name === name);

/** The first of these names that is a column of the users' table, or else of a joined one. */
export function guessPath(
  users: Table,
  joins: Joins,
  names: string[],
  isFit: (column: Column, table: Table) => boolean = () => true,
) {
  const places: [prefix: string, table: Table][] = [
    ['', users],
    ...Object.entries(joins).map(([join, table]): [string, Table] => [`${join}.`, table]),
  ];
  for (const [prefix, table] of places) {
    const name = names.find((candidate) => {
      const column = findColumn(table, candidate);
      return column && isFit(column, table);
    });
    if (name !== undefined) return `${prefix}${name}`;
  }
  return null;
}

/** What differs from what adopt finds by itself, and what is not there. `roles` is said of flags that are not. */
export function guessColumns(users: Table, joins: Joins, roles: string, say: Say): Columns {
  const guessed: Record<string, unknown> = {};
  for (const name of Object.keys(columnForms) as Name[]) {
    const path = guessPath(users, joins, [name, ...(synonyms[name] ?? [])], (column, table) =>
      isFit(name, column, table),
    );
    if (path === name) continue;
    guessed[name] = path ?? guessAbsent(name, guessed, roles, say);
  }
  return guessed;
}

const isFlag = (name: Name): boolean => name.startsWith('is_');

/** Of the type that is needed; a username unique. */
function isFit(name: Name, { name: its, type }: Column, table: Table): boolean {
  if (name === 'username') return table.uniqueColumns.includes(its);
  if (isFlag(name)) return type === 'boolean';
  if (name.endsWith('_at') || name === 'last_login') return type === 'timestamp with time zone';
  return true;
}

function guessAbsent(name: Name, guessed: Record<string, unknown>, roles: string, say: Say): unknown {
  if (name === 'is_customer') {
    say('columns.is_customer: nothing says so; taken for whoever is neither staff nor admin.');
    const { is_staff = 'is_staff', is_admin = 'is_superuser' } = guessed;
    if (typeof is_staff === 'string' && typeof is_admin === 'string') return { not: [is_staff, is_admin] };
    return false;
  }
  if (name === 'updated_at') {
    say('columns.updated_at: nothing says when a user changed; taken from when it was created.');
    return guessed['created_at'] ?? 'created_at';
  }
  if (name === 'is_active') {
    say('columns.is_active: nothing says so; taken for true: nobody is refused as inactive.');
    return true;
  }
  if (isFlag(name)) {
    say(`columns.${name}: which column says so? Taken for false.${roles}`);
    return false;
  }
  if (name === 'username' || name === 'created_at') {
    say(`columns.${name}: which column is it? The API shows it of everybody.`);
    return name;
  }
  say(`columns.${name}: nothing found; the API will show null.`);
  return null;
}

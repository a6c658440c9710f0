import { distance } from 'fastest-levenshtein';
import { findTable, type Table, toName, uniqueReferenceTo } from './catalog.ts';
import type { Flag, Mapping } from './mapping.ts';
import type { Mirror } from './mirror.ts';
import { quoteName, quoteTable, quoteText } from './quoting.ts';

/** A table that is joined to the users', its column that refers to them, and those that were used. */
type Source = Mirror['sources'][number];

/** Makes SQL of what a mapping says, for a query on the users' table, `u`, and those that are joined to it. */
export type Scope = {
  users: Table;
  /** `"public"."accounts_user" as u left join …`: with the joins that were used. */
  toFrom: () => string;
  /** The users' table and those that were joined, with the columns that were used. */
  sources: () => Source[];
  /** SQL of a column, of one of these types if any are given. `place`: where the mapping says it. */
  column: (path: string, place: string, type?: ColumnType) => string;
  flag: (form: Flag, place: string) => string;
};

const columnTypes = {
  flag: [/^boolean$/, 'boolean; of another type, say which values mean it: {"column": "…", "is": ["…"]}'],
  number: [/^(smallint|integer|bigint)$/, 'a whole number'],
  time: [/^timestamp with time zone$/, 'timestamp with time zone, for without it nobody knows the instant'],
} as const satisfies Record<string, [pattern: RegExp, expectation: string]>;

type ColumnType = keyof typeof columnTypes;

/** Stands for what cannot be used: there is a fault, and nothing is run. */
const nothing = 'null';

/** What does not fit is added to `faults`, a sentence each. */
export function openScope(tables: Table[], users: Table, mapping: Mapping, faults: string[]): Scope {
  const own: Source = { table: users, key: users.primaryKey ?? '', columns: [] };
  const joins = new Map<string, Source>();

  /** The table of `profile` in `profile.phone`; without a join the users'. */
  function findSource(join: string | undefined, place: string): Source | undefined {
    if (join === undefined) return own;
    const known = joins.get(join);
    if (known) return known;
    const name = mapping.joins?.[join];
    const table = name === undefined ? undefined : findTable(tables, name);
    const key = table && uniqueReferenceTo(table, users);
    if (name === undefined) faults.push(`${place}: "${join}" is none of the mapping's joins.`);
    else if (!table) faults.push(`joins.${join}: there is no table "${name}"${toHint(name, tables.map(toName))}`);
    else if (key === undefined)
      faults.push(
        `joins.${join}: "${name}" has no unique foreign key to "${toName(users)}": a user may have several rows.`,
      );
    else {
      const source = { table, key, columns: [] };
      joins.set(join, source);
      return source;
    }
    return undefined;
  }

  function column(path: string, place: string, type?: ColumnType): string {
    const [name = '', join] = path.split('.').reverse();
    const source = findSource(join, place);
    if (!source) return nothing;
    const { table } = source;
    const found = table.columns.find((candidate) => candidate.name === name);
    if (!found) {
      const names = table.columns.map((candidate) => candidate.name);
      faults.push(`${place}: "${toName(table)}" has no column "${name}"${toHint(name, names)}`);
      return nothing;
    }
    const [pattern, expectation] = type ? columnTypes[type] : [/./, ''];
    if (!pattern.test(found.type)) {
      faults.push(`${place}: "${path}" is ${found.type}; expected ${expectation}.`);
      return nothing;
    }
    source.columns.push(name);
    return `${join === undefined ? 'u' : toAlias(join)}.${quoteName(name)}`;
  }

  function flag(form: Flag, place: string): string {
    const isTrue = (path: string) => `coalesce(${column(path, place, 'flag')}, false)`;
    if (typeof form === 'boolean') return String(form);
    if (typeof form === 'string') return isTrue(form);
    if ('set' in form) return `${column(form.set, place)} is not null`;
    if ('not' in form) return `not (${['false', ...form.not.map(isTrue)].join(' or ')})`;
    return `coalesce(${column(form.column, place)}::text in (${['null', ...form.is.map(quoteText)].join(', ')}), false)`;
  }

  const id = `u.${quoteName(users.primaryKey ?? '')}`;
  const toFrom = () =>
    [...joins].reduce(
      (from, [join, { table, key }]) =>
        `${from} left join ${quoteTable(table)} as ${toAlias(join)} on ${toAlias(join)}.${quoteName(key)} = ${id}`,
      `${quoteTable(users)} as u`,
    );
  return { users, toFrom, sources: () => [own, ...joins.values()], column, flag };
}

/** Never `u`. */
const toAlias = (join: string): string => quoteName(`${join} of u`);

/** The end of a sentence: with what is near, `. Did you mean "phone"?`. */
export function toHint(name: string, names: string[]): string {
  const [nearest] = names.toSorted((a, b) => distance(name, a) - distance(name, b));
  return nearest !== undefined && distance(name, nearest) <= Math.max(2, name.length / 3)
    ? `. Did you mean "${nearest}"?`
    : '.';
}

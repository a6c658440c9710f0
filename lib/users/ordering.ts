import { type Expression, type RawBuilder, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { isExactText } from '../database/timestamps.ts';
import { listOf, Malformed, oneOf } from '../kinds.ts';
import type { Parameter } from '../parameters.ts';
import { hasListFlag } from './list-flags.ts';
import type { UserRow } from './row.ts';

/** What a user sorts by; as plain as JSON, because cursors hold it. */
export type SortValue = string | number | null;

type SortField = {
  /** What is read for it. */
  column: keyof Database['users'];
  /** What is sorted by. */
  expression: Expression<unknown>;
  /** Whether it can be a value of the expression; null is said by `nullable`. */
  holds: (value: unknown) => boolean;
  /** No two users share a value, so it needs no tie-break. */
  unique?: boolean;
  nullable?: boolean;
};

const isText = (value: unknown): boolean => typeof value === 'string' && value.isWellFormed() && !value.includes('\0');

/** In alphabetical order. */
const genders = ['female', 'male', 'other'] as const;

const isGenderRank = (value: unknown): boolean => genders.some((_, rank) => rank === value);

/** Spelled as in the indexes of this ordering, which no other spelling would be sorted by. */
const genderRank = sql`case ${sql.join(
  genders.map((gender, rank) => sql`when ${hasListFlag(gender)} then ${sql.lit(rank)}`),
  sql` `,
)} end`;

const byColumn = (column: SortField['column']) => ({
  column,
  expression: sql.ref(`users.${column}`),
});

/** The table: a row is a field to order by, named as in `UserRow`. */
const sortFields = {
  id: { ...byColumn('id'), holds: Number.isSafeInteger, unique: true },
  username: { ...byColumn('list_username'), holds: isText, unique: true },
  email: { ...byColumn('list_email'), holds: isText, nullable: true },
  gender: { column: 'list_flags', expression: genderRank, holds: isGenderRank, nullable: true },
  last_login: { ...byColumn('list_last_login'), holds: isExactText, nullable: true },
  created_at: { ...byColumn('list_created_at'), holds: isExactText },
  updated_at: { ...byColumn('list_updated_at'), holds: isExactText },
} satisfies Record<string, SortField>;

export type SortKey = { field: keyof typeof sortFields; descending: boolean };

export const newestFirst: SortKey[] = [{ field: 'id', descending: true }];

export const isNewestFirst = ([first]: SortKey[]): boolean => first?.field === 'id' && first.descending;

const fields = Object.keys(sortFields) as [SortKey['field'], ...SortKey['field'][]];
const texts = fields.flatMap((field) => [field, `-${field}`]) as [string, ...string[]];
const keys = listOf(oneOf(texts), { maxItems: fields.length, example: ['-last_login', 'username'] });

export const ordering: Parameter<SortKey[]> = {
  alsoCalled: ['sort', 'sort_by', 'order', 'order_by'],
  doc: 'Fields to order by, each at most once, `-` for descending. Users without a value come last in both directions.',
  ...keys,
  schema: { ...keys.schema, default: ['-id'] },
  read(text) {
    const sortKeys = keys.read(text).map(toSortKey);
    const names = sortKeys.map(({ field }) => field);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice) throw new Malformed(`Expected each field at most once; "${twice}" is given twice.`);
    return sortKeys;
  },
};

const toSortKey = (key: string): SortKey => ({
  field: key.replace('-', '') as SortKey['field'],
  descending: key.startsWith('-'),
});

export const sortField = ({ field }: SortKey): SortField => sortFields[field];

/** What has to be read of users to put them in this order and to tell who they are. */
export const columnsOf = (sortKeys: SortKey[]) =>
  [...new Set(['id' as const, ...sortKeys.map((sortKey) => sortField(sortKey).column)])].map(
    (column) => `users.${column}` as const,
  );

/** The value of the key's expression for a user of the page. */
export const sortValue = ({ field }: SortKey, row: UserRow): SortValue =>
  field === 'gender' ? row.gender && genders.indexOf(row.gender) : row[field];

/** The order without ties: a walk through the pages shows every user once. */
export function toTotalOrder(sortKeys: SortKey[]): SortKey[] {
  const unique = sortKeys.findIndex((sortKey) => sortField(sortKey).unique === true);
  // Nothing is left to order after a unique key, and naming more would make PostgreSQL sort where it could read an index.
  if (unique >= 0) return sortKeys.slice(0, unique + 1);
  return [...sortKeys, { field: 'id', descending: sortKeys[0]?.descending === true }];
}

/** The items of ORDER BY: `"users"."email" desc nulls last`; `backwards` to read from the end. */
export function toOrderBy(sortKeys: SortKey[], { backwards }: { backwards: boolean }): RawBuilder<unknown>[] {
  return sortKeys.map((sortKey) => {
    const { expression, nullable } = sortField(sortKey);
    const { descending } = sortKey;
    const directed = descending === backwards ? sql`${expression}` : sql`${expression} desc`;
    // Ascending order has nulls last already; where they need no word, an index can be read in either direction.
    if (!descending || !nullable) return directed;
    return backwards ? sql`${directed} nulls first` : sql`${directed} nulls last`;
  });
}

import { type OrderByItemBuilder, sql } from 'kysely';
import { listOf, Malformed, oneOf, type Parameter } from '../parameters.ts';
import { hasListFlag } from './list-flags.ts';

/** What each field sorts by; `unique` ones need no tie-break, only `nullable` ones a word on nulls. */
const sortFields = {
  id: { expression: 'users.id', unique: true, nullable: false },
  username: { expression: 'users.username', unique: true, nullable: false },
  email: { expression: 'users.email', unique: false, nullable: true },
  gender: {
    // Alphabetical, and read from the listing index: `users.gender` would be fetched from the table for every user.
    expression: sql<number>`case when ${hasListFlag('female')} then 1 when ${hasListFlag('male')} then 2 when ${hasListFlag('other')} then 3 end`,
    unique: false,
    nullable: true,
  },
  last_login: { expression: 'users.list_last_login', unique: false, nullable: true },
  created_at: { expression: 'users.list_created_at', unique: false, nullable: false },
  updated_at: { expression: 'users.list_updated_at', unique: false, nullable: false },
} as const;

export type SortKey = { field: keyof typeof sortFields; descending: boolean };

export const newestFirst: SortKey[] = [{ field: 'id', descending: true }];

const fields = Object.keys(sortFields) as SortKey['field'][];
const keys = listOf(oneOf(fields.flatMap((field) => [field, `-${field}` as const])), { maxItems: fields.length });

export const ordering: Parameter<SortKey[]> = {
  doc: 'Fields to order by, each at most once, `-` for descending. Users without a value come last in both directions.',
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

/** The items of ORDER BY, for Kysely. Their order is total, so that a walk through the pages shows every user once. */
export function toOrderBy(sortKeys: SortKey[]) {
  const unique = sortKeys.findIndex(({ field }) => sortFields[field].unique);
  // Nothing is left to order after a unique key, and naming more would make PostgreSQL sort where it could read an index.
  const total: SortKey[] =
    unique < 0
      ? [...sortKeys, { field: 'id', descending: sortKeys[0]?.descending === true }]
      : sortKeys.slice(0, unique + 1);
  return total.map(({ field, descending }) => {
    const { expression, nullable } = sortFields[field];
    // Nulls are last in ascending order already; elsewhere NULLS LAST would keep PostgreSQL from reading an index backwards.
    const modifiers = (item: OrderByItemBuilder) => {
      if (!descending) return item;
      return nullable ? item.desc().nullsLast() : item.desc();
    };
    return { expression, modifiers };
  });
}

import { crc32 } from 'node:zlib';
import { type Expression, type SqlBool, sql } from 'kysely';
import { type Kind, Malformed } from '../kinds.ts';
import { type SortKey, type SortValue, sortField, sortValue } from './ordering.ts';
import type { UserRow } from './row.ts';

/** Where a page begins or ends: the values of its sort keys there, and the `offset` of the link that holds it. */
export type Cursor = { ordering: string; offset: number; values: SortValue[] };

/** Which side of a cursor a page is on. */
export type Side = 'after' | 'before';

const checksumBytes = 4;

/**
 * Opaque to clients: base64url of a checksum and JSON. The checksum finds damage, and anybody can make one: what the cursor holds is a
 * client's word, to be read as such.
 */
export const cursor: Kind<Cursor> = {
  schema: { type: 'string' },
  example: 'd2yxs1siLWlkIiwxLDJd',
  read(text) {
    const bytes = Buffer.from(text, 'base64url');
    const json = bytes.subarray(checksumBytes);
    // Compared as text too, because base64url reads past characters that are not its own.
    const isWhole =
      bytes.length > checksumBytes && bytes.toString('base64url') === text && bytes.readUInt32BE() === crc32(json);
    const cursor = isWhole ? toContent(json.toString()) : undefined;
    if (!cursor) throw new Malformed('Expected a cursor as it stands in a `next` or `previous` link.');
    return cursor;
  },
};

/** Undefined where it is no cursor of ours; whether its values are any of the ordering is `isOfOrder`, which knows the ordering, to say. */
function toContent(json: string): Cursor | undefined {
  const content = parse(json);
  if (!Array.isArray(content)) return undefined;
  const [ordering, offset, ...values] = content;
  return typeof ordering === 'string' && Number.isSafeInteger(offset) && offset >= 0
    ? { ordering, offset, values }
    : undefined;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** The cursor at this user, or undefined where a value cannot be told exactly, as an id above 2^53. */
export function toCursor(row: UserRow, sortKeys: SortKey[], offset: number): string | undefined {
  const values = sortKeys.map((sortKey) => sortValue(sortKey, row));
  if (!fits(values, sortKeys)) return undefined;
  const json = Buffer.from(JSON.stringify([toText(sortKeys), offset, ...values]));
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32BE(crc32(json));
  return Buffer.concat([checksum, json]).toString('base64url');
}

/** Whether the cursor was made in this order, and holds what the database can compare with. */
export const isOfOrder = ({ ordering, values }: Cursor, sortKeys: SortKey[]): boolean =>
  ordering === toText(sortKeys) && fits(values, sortKeys);

function fits(values: unknown[], sortKeys: SortKey[]): boolean {
  const isFitting = (sortKey: SortKey, value: unknown) =>
    value === null ? sortField(sortKey).nullable === true : sortField(sortKey).holds(value);
  return values.length === sortKeys.length && sortKeys.every((sortKey, index) => isFitting(sortKey, values[index]));
}

/**
 * Users on that side of the cursor, in parts of whom nobody is in two: each part is one stretch of the index of its first key, which all of them
 * together are not. The user at the cursor is in none.
 */
export function toPartsBeyond(side: Side, { values }: Cursor, sortKeys: SortKey[]): Expression<SqlBool>[] {
  const [first, ...others] = sortKeys as [SortKey, ...SortKey[]];
  const [value = null, ...otherValues] = values;
  const tied =
    others.length > 0 ? [sql<SqlBool>`(${isEqual(first, value)} and ${isBeyond(side, otherValues, others)})`] : [];
  return [...tied, ...toKeysBeyond(side, first, value)];
}

function isBeyond(side: Side, values: SortValue[], sortKeys: SortKey[]): Expression<SqlBool> {
  // (a, b, c) beyond (x, y, z): a beyond x, or a = x and b beyond y, or a = x and b = y and c beyond z.
  const alternatives = sortKeys.map((sortKey, index) => {
    const equals = sortKeys.slice(0, index).map((earlier, position) => isEqual(earlier, values[position] ?? null));
    const [beyond = sql`false`, isNull] = toKeysBeyond(side, sortKey, values[index] ?? null);
    return sql`(${sql.join([...equals, isNull ? sql`(${beyond} or ${isNull})` : beyond], sql` and `)})`;
  });
  return sql`(${sql.join(alternatives, sql` or `)})`;
}

function isEqual(sortKey: SortKey, value: SortValue): Expression<SqlBool> {
  const { expression } = sortField(sortKey);
  return value === null ? sql`${expression} is null` : sql`${expression} = ${value}`;
}

/** Nulls come last in both directions: nobody is after one, and everybody with a value is before it. */
function toKeysBeyond(side: Side, sortKey: SortKey, value: SortValue): Expression<SqlBool>[] {
  const { expression, nullable } = sortField(sortKey);
  if (value === null) return side === 'after' ? [] : [sql`${expression} is not null`];
  const isLower = (side === 'after') === sortKey.descending;
  const beyond = isLower ? sql<SqlBool>`${expression} < ${value}` : sql<SqlBool>`${expression} > ${value}`;
  return side === 'after' && nullable ? [beyond, sql`${expression} is null`] : [beyond];
}

const toText = (sortKeys: SortKey[]): string =>
  sortKeys.map(({ field, descending }) => `${descending ? '-' : ''}${field}`).join();

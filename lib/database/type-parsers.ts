import pg from 'pg';

const INT8 = 20;
const INT8_ARRAY = 1016;

/** Numbers for int8, which arrives as text: ids and counts stay below 2^53. */
export function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === INT8) return Number;
  if (oid === INT8_ARRAY) return (text: string) => JSON.parse(`[${text.slice(1, -1)}]`);
  return pg.types.getTypeParser(oid, format);
}

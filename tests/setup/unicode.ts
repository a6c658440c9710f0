import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { Malformed } from '../../lib/kinds.ts';
import { readTerms } from '../../lib/users/search.ts';

/** What stands between characters that are folded together: one by one it would take half a minute. */
const separator = 0x1f;

/** All of Unicode but NUL, which no text holds, the separator and the surrogates. */
export const points = Array.from({ length: 0x10ffff }, (_, index) => index + 1).filter(
  (point) => point !== separator && (point < 0xd800 || point > 0xdfff),
);

/** What `search_fold` makes of each of the points. */
export async function foldUnicode(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ folded: string }>`
    select search_fold(string_agg(chr(point), chr(${separator}) order by point)) as folded
    from generate_series(1, ${0x10ffff}::int) as point
    where point <> ${separator} and point not between ${0xd800} and ${0xdfff}
    group by point >> 8 order by point >> 8`.execute(db);
  return rows.flatMap(({ folded }) => folded.split(String.fromCodePoint(separator)));
}

/** The points of which a query says that nothing is left. */
export const readAsNothing = (): number[] =>
  points.filter((point) => {
    try {
      readTerms(`"${String.fromCodePoint(point)}"`);
      return false;
    } catch (error) {
      if (error instanceof Malformed) return true;
      throw error;
    }
  });

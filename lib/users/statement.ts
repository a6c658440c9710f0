import { type CompiledQuery, type Expression, expressionBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { compile } from '../database/statement.ts';
import type { Database } from '../database/tables.ts';
import { toPartsBeyond } from './cursor.ts';
import { onlineSince } from './filters.ts';
import { findsFew, selectCount, selectMatching } from './matching.ts';
import { columnsOf, toOrderBy } from './ordering.ts';
import type { UserQuery } from './query.ts';
import type { GroupNames, UserRow } from './row.ts';

/** A row of the statement; an empty page is one row of nothing but the count. The first of the page has the names of all groups. */
export type CountedRow = UserRow & { count: number; group_names: GroupNames | null };

/**
 * Count and page in one statement, so of one snapshot. A page at a cursor has one row more, if there is one. What is shown of the page is
 * the function's to say: its plan is kept, while this statement is planned anew with each request.
 */
export function selectUsers(query: UserQuery): CompiledQuery<CountedRow> {
  const matching = selectMatching(query);
  const placed = matching.select(columnsOf(query.ordering));
  const few = findsFew(query);
  const once = few ? sql`with matching as materialized ${placed} ` : sql``;
  const count = few ? sql`(select count(*) from matching)` : selectCount(matching);
  const ids = sql`array(select id from ${few ? selectPage(found, query) : selectPage(placed, query)} as page)::bigint[]`;
  const shown = sql`list_details(${ids}, ${onlineSince(query)}) with ordinality`;
  const place = query.seek?.side === 'before' ? sql`ordinality desc` : sql`ordinality`;
  // Left, for the count survives an empty page.
  return compile(
    sql<CountedRow>`${once}select * from (select ${count} as count) as counted left join ${shown} on true order by ${place}`,
  );
}

/** The ids of the page: they come from an index, so the details are fetched for this page only, not for all that is skipped. */
function selectPage<Db extends { users: Database['users'] }, Output>(
  placed: SelectQueryBuilder<Db, 'users', Output>,
  { limit, offset, seek, ordering }: UserQuery,
): Expression<unknown> {
  const orderBy = toOrderBy(ordering, { backwards: seek?.side === 'before' });
  const ordered = orderBy.reduce((select, item) => select.orderBy(item), placed);
  // Limit and offset are literals: with $n PostgreSQL would go on planning a prepared statement anew.
  if (!seek) return ordered.limit(sql.lit(limit)).offset(sql.lit(offset));
  const parts = toPartsBeyond(seek.side, seek.cursor, ordering).map((part) =>
    ordered.where(part).limit(sql.lit(limit + 1)),
  );
  const [first] = parts;
  if (first && parts.length === 1) return first;
  return sql`(select * from (${sql.join(parts, sql` union all `)}) as users order by ${sql.join(orderBy)} limit ${sql.lit(limit + 1)})`;
}

/** Who matches, as far as the ordering needs them, in the place of `users`. */
const found = expressionBuilder<{ matching: Database['users'] }, never>().selectFrom('matching as users').selectAll();

import { sql } from 'kysely';
import { queryBuilder } from '../database/statement.ts';
import type { UserQuery } from './query.ts';

type Conditions = Pick<UserQuery, 'conditions' | 'onlineWindowSeconds'>;

/** The one WHERE of count and page. */
export function selectMatching(query: Conditions) {
  // Spelled as the predicate of the listing index: a query that says it otherwise does not use the index.
  const listed = queryBuilder.selectFrom('users').where('users.list_flags', 'is not', null);
  return query.conditions.reduce((select, condition) => select.where((eb) => condition(eb, query)), listed);
}

/** How many users match, on whatever page. */
export const selectCount = (matching: ReturnType<typeof selectMatching>) =>
  matching.select(sql<number>`count(*)`.as('count'));

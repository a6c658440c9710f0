import { sql } from 'kysely';
import { queryBuilder } from '../database/statement.ts';
import type { UserQuery } from './query.ts';

type Conditions = Pick<UserQuery, 'conditions' | 'searchesIndex' | 'asksForGroups' | 'onlineWindowSeconds'>;

/** The one WHERE of count and page. */
export function selectMatching(query: Conditions) {
  const users = queryBuilder.selectFrom('users');
  // Spelled as the predicate of the listing index: a query that says it otherwise does not use the index. A search by the trigram index
  // says it too, for `search_text` is null where `list_flags` is, and said twice it would make PostgreSQL read both indexes.
  const listed = query.searchesIndex ? users : users.where('users.list_flags', 'is not', null);
  return query.conditions.reduce((select, condition) => select.where((eb) => condition(eb, query)), listed);
}

/** How many users match, on whatever page. */
export const selectCount = (matching: ReturnType<typeof selectMatching>) =>
  matching.select(sql<number>`count(*)`.as('count'));

/** By measurement (bench/README.md): fewer may well list most, of whom a page in an index's order needs to look at its own users alone. */
const manyConditions = 4;

/** Whether few are expected, who are then looked for once, for count and page. */
export const findsFew = ({ searchesIndex, asksForGroups, conditions }: Conditions): boolean =>
  searchesIndex || asksForGroups || conditions.length >= manyConditions;

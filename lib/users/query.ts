import { defaultLimit, paging, type Slice } from '../page.ts';
import { type Parameter, readParameters } from '../parameters.ts';
import { type Condition, filters } from './filters.ts';
import { newestFirst, ordering, type SortKey } from './ordering.ts';
import { search } from './search.ts';

/** Which users a request asks for, in which order, and which slice of them. */
export type UserQuery = Slice & { conditions: Condition[]; ordering: SortKey[] };

/** Every documented parameter of `GET /api/users/`. */
export const parameters = { ...paging, search, ordering, ...filters } satisfies Record<string, Parameter<unknown>>;

/** Reads a raw query string. Throws a 400 that names every fault. */
export function readUserQuery(rawQuery: string): UserQuery {
  const { values, given } = readParameters(rawQuery, parameters);
  const { limit = defaultLimit, offset = 0, ordering = newestFirst, ...conditions } = values;
  return { limit, offset, ordering, conditions: Object.values(conditions), given };
}

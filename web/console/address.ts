import { filters, positions } from './parameters.ts';

/** Changes the address, and shows what it asks for then. `replace`: not as a step of the history. */
export type Go = (query: URLSearchParams, options?: { replace?: boolean }) => void;

/** The state of the page is its address: a link to it holds everything but the token. */
export const currentQuery = (): URLSearchParams => new URLSearchParams(location.search);

export function writeAddress(query: URLSearchParams, { replace = false } = {}): void {
  const address = String(query) === '' ? location.pathname : `?${query}`;
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
}

/** The current query with another value; '' is none. */
export function withValue(name: string, value: string): URLSearchParams {
  const query = withoutPosition(currentQuery());
  if (value === '') query.delete(name);
  else query.set(name, value);
  return query;
}

export function withoutFilters(): URLSearchParams {
  const query = withoutPosition(currentQuery());
  for (const { name } of filters) query.delete(name);
  return query;
}

/** Back to the first page. */
function withoutPosition(query: URLSearchParams): URLSearchParams {
  for (const name of positions) query.delete(name);
  return query;
}

import { filters, positions } from './parameters.ts';

/** Changes the address, and shows what it asks for then. `replace`: not as a step of the history. */
export type Go = (query: URLSearchParams, options?: { replace?: boolean }) => void;

/**
 * The state of the page. It stands after `#` in its address, which no server and no proxy sees: a search holds e-mail addresses and phone
 * numbers. So a link to the page holds everything but the token.
 */
let state = '';

export const currentQuery = (): URLSearchParams => new URLSearchParams(state);

/** Takes the state from the address, and calls `change` whenever somebody goes back or forward, follows a link or edits it. */
export function followAddress(change: () => void): void {
  readAddress();
  // Not popstate, which the HTML standard has come before the jump to an anchor.
  window.addEventListener('hashchange', () => {
    if (isAnchor()) return writeAddress(currentQuery(), { replace: true });
    readAddress();
    change();
  });
}

/** Old links have the state in the query. It does not stay there. */
function readAddress(): void {
  const fragment = isAnchor() ? '' : location.hash.slice(1);
  const query = new URLSearchParams([...new URLSearchParams(location.search), ...new URLSearchParams(fragment)]);
  state = String(query);
  if (location.search !== '') writeAddress(query, { replace: true });
}

/** A place of the page, as `#list`: no state, which has an `=`. */
const isAnchor = (): boolean => /^#[^=]+$/.test(location.hash);

export function writeAddress(query: URLSearchParams, { replace = false } = {}): void {
  state = String(query);
  const address = state === '' ? location.pathname : `${location.pathname}#${state}`;
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

import { filters, positions } from './parameters.ts';

/** Changes the address, and shows what it asks for then. `replace`: not as a step of the history. */
export type Go = (query: URLSearchParams, options?: { replace?: boolean }) => void;

/**
 * The state of the page. It stands after `#` in its address, which no server and no proxy sees: a search holds e-mail addresses and phone
 * numbers. So a link to the page holds everything but the token.
 */
let state = '';

/** Whether times are shown in the reader's own zone, not in UTC. It is of the page alone: the API is not asked with it. */
let isOwnZone = false;

const ownZone: [name: string, value: string] = ['zone', 'local'];

export const showsOwnZone = (): boolean => isOwnZone;

/** Not as a step of the history: it changes nothing of what is asked for. */
export function setOwnZone(value: boolean): void {
  isOwnZone = value;
  writeAddress(currentQuery(), { replace: true });
}

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
  isOwnZone = query.has(...ownZone);
  query.delete(...ownZone);
  state = String(query);
  if (location.search !== '') writeAddress(query, { replace: true });
}

/** A place of the page, as `#list`: no state, which has an `=`. */
const isAnchor = (): boolean => /^#[^=]+$/.test(location.hash);

export function writeAddress(query: URLSearchParams, { replace = false } = {}): void {
  state = String(query);
  const shown = String(new URLSearchParams([...query, ...(isOwnZone ? [ownZone] : [])]));
  const address = shown === '' ? location.pathname : `${location.pathname}#${shown}`;
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
}

/** The current query with other values, at the first page; '' is none. */
export function withValues(values: Record<string, string>): URLSearchParams {
  const query = without(currentQuery(), positions);
  for (const [name, value] of Object.entries(values)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  return query;
}

export const withValue = (name: string, value: string): URLSearchParams => withValues({ [name]: value });

export const withoutFilters = (): URLSearchParams =>
  without(currentQuery(), [...positions, ...filters.map(({ name }) => name)]);

export function without(query: URLSearchParams, names: string[]): URLSearchParams {
  const others = new URLSearchParams(query);
  for (const name of names) others.delete(name);
  return others;
}

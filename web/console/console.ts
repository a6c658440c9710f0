import { fetchUsers, type Problem } from './api.ts';
import { byId, element } from './element.ts';
import { makeFields, selectValue, showErrors } from './fields.ts';
import { defaultLimit, filters, toLabel, toValueText, withoutPosition } from './parameters.ts';
import { makeTable } from './table.ts';

/** Here and nowhere else: no storage, no cookie, no address. */
let token = '';

/** Of the list that is shown: the queries of its neighbours. */
let neighbours: Record<'next' | 'previous', string | null> = { next: null, previous: null };
let running: AbortController | undefined;

const main = document.querySelector('main') as HTMLElement;
const search = byId('search', HTMLInputElement);
const searchError = byId('search-error', HTMLElement);
const details = byId('filters', HTMLDetailsElement);
const filterCount = byId('filter-count', HTMLElement);
const signIn = byId('sign-in', HTMLFormElement);
const tokenInput = byId('token', HTMLInputElement);
const tokenError = byId('token-error', HTMLElement);
const forget = byId('forget', HTMLButtonElement);
const list = byId('list', HTMLElement);
const status = byId('status', HTMLElement);
const chips = byId('chips', HTMLElement);
const limit = byId('limit', HTMLSelectElement);
const problemBox = byId('problem', HTMLElement);
const pagers = { next: byId('next', HTMLButtonElement), previous: byId('previous', HTMLButtonElement) };
const region = document.querySelector('.table') as HTMLElement;

const fields = makeFields(details.querySelector('form') as HTMLFormElement, (name, value) =>
  go(withFilter(name, value)),
);
const table = makeTable(region, (ordering) => go(withFilter('ordering', ordering)));

/** The state of the page is its address: a link to it holds everything but the token. */
const currentQuery = (): URLSearchParams => new URLSearchParams(location.search);

function withFilter(name: string, value: string): URLSearchParams {
  const query = withoutPosition(currentQuery());
  if (value === '') query.delete(name);
  else query.set(name, value);
  return query;
}

function go(query: URLSearchParams | string, { replace = false } = {}): void {
  const address = String(query) === '' ? location.pathname : `?${query}`;
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  show();
}

/** Shows what the address asks for. */
async function show(): Promise<void> {
  const query = currentQuery();
  showQuery(query);
  signIn.hidden = token !== '';
  list.hidden = forget.hidden = token === '';
  if (token === '') return;

  running?.abort();
  running = new AbortController();
  const { signal } = running;
  main.setAttribute('aria-busy', 'true');
  try {
    const { page, problem } = await fetchUsers(query, token, signal);
    if (signal.aborted) return;
    showProblem(problem);
    table.showUsers(page?.results ?? []);
    neighbours = { next: toSearch(page?.next), previous: toSearch(page?.previous) };
    for (const side of ['next', 'previous'] as const) {
      pagers[side].setAttribute('aria-disabled', String(neighbours[side] === null));
    }
    status.textContent = page ? toStatus(query, page.count, page.results.length) : '';
    region.classList.toggle('empty', !page || page.results.length === 0);
    main.setAttribute('aria-busy', 'false');
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Of a link only the query is followed: the token goes to no other host. */
const toSearch = (link: string | null | undefined): string | null => (link ? new URL(link).search.slice(1) : null);

function toStatus(query: URLSearchParams, count: number, shown: number): string {
  if (count === 0) return 'Nobody matches';
  const users = `${count.toLocaleString('en')} ${count === 1 ? 'user' : 'users'}`;
  const first = Number(query.get('offset') ?? 0) + 1;
  return shown === 0
    ? `No more of ${users}`
    : `${first.toLocaleString('en')}–${(first + shown - 1).toLocaleString('en')} of ${users}`;
}

function showQuery(query: URLSearchParams): void {
  for (const field of fields) field.show(query.get(field.name) ?? '');
  // Not while somebody types there: the address lags behind.
  if (document.activeElement !== search) search.value = query.get('search') ?? '';
  selectValue(limit, query.get('limit') ?? defaultLimit);
  table.showOrdering(query.get('ordering'));
  const used = filters.filter(({ name }) => query.get(name));
  filterCount.textContent = String(used.length);
  filterCount.hidden = used.length === 0;
  chips.replaceChildren(
    ...used.map((parameter) => {
      const text = `${toLabel(parameter.name)}: ${toValueText(parameter, query.get(parameter.name) ?? '')}`;
      return makeChip(text, `Remove ${text}`, () => go(withFilter(parameter.name, '')));
    }),
    ...(used.length > 1 ? [makeChip('Clear all', 'Clear all filters', clearFilters)] : []),
  );
}

function makeChip(text: string, label: string, remove: () => void): HTMLElement {
  const button = element('button', { type: 'button', 'aria-label': label }, text);
  button.append(element('span', { 'aria-hidden': 'true' }, '×'));
  button.addEventListener('click', () => {
    remove();
    status.parentElement?.querySelector<HTMLElement>('#chips button, select')?.focus(); // the button is gone
  });
  return element('li', {}, button);
}

function clearFilters(): void {
  const query = withoutPosition(currentQuery());
  for (const { name } of filters) query.delete(name);
  go(query);
}

/** Each message at its field: the token's, the filters', the search's; what has no field goes above the table. */
function showProblem(problem: Problem | undefined): void {
  const errors = { ...problem?.errors };
  for (const field of fields) {
    field.showErrors(errors[field.name]);
    if (errors[field.name]) details.open = true;
    delete errors[field.name];
  }
  showErrors(search, searchError, errors['search']);
  delete errors['search'];

  const isAboutToken = problem?.status === 401 || problem?.status === 403;
  showErrors(tokenInput, tokenError, isAboutToken ? [problem.detail] : undefined);
  if (isAboutToken) forgetToken();

  const others = Object.entries(errors).map(([name, messages]) => `${name}: ${messages.join(' ')}`);
  const lines = problem?.errors || isAboutToken ? others : problem ? [problem.detail] : [];
  problemBox.hidden = lines.length === 0;
  problemBox.replaceChildren(...lines.map((line) => element('p', {}, line)));
  if (lines.length > 0) problemBox.append(makeProblemButton(Object.keys(errors)));
}

/** Takes the parameters out that have no field to mend them in, or tries again. */
function makeProblemButton(names: string[]): HTMLElement {
  const button = element('button', { type: 'button' }, names.length > 0 ? 'Leave it out' : 'Try again');
  button.addEventListener('click', () => {
    const query = currentQuery();
    for (const name of names) query.delete(name);
    go(query, { replace: true });
  });
  return button;
}

function forgetToken(): void {
  token = '';
  running?.abort();
  table.showUsers([]);
  signIn.hidden = false;
  list.hidden = forget.hidden = true;
  main.setAttribute('aria-busy', 'false');
  tokenInput.focus();
}

signIn.addEventListener('submit', (event) => {
  event.preventDefault();
  token = tokenInput.value.trim().replace(/^Token\s+/i, '');
  tokenInput.value = '';
  show();
});

forget.addEventListener('click', forgetToken);

/** One step of the history for a word, not for each letter. */
const typing: { timer?: ReturnType<typeof setTimeout>; replace: boolean } = { replace: false };

function searchNow(): void {
  clearTimeout(typing.timer);
  const text = search.value.trim();
  if (text === (currentQuery().get('search') ?? '')) return;
  go(withFilter('search', text), typing);
  typing.replace = true;
}

search.addEventListener('input', () => {
  clearTimeout(typing.timer);
  typing.timer = setTimeout(searchNow, 250);
});

// Enter, or whatever is done next: it must not find a search that is still waiting.
search.addEventListener('change', searchNow);

search.addEventListener('blur', () => {
  typing.replace = false;
});

limit.addEventListener('change', () => go(withFilter('limit', limit.value === defaultLimit ? '' : limit.value)));

for (const side of ['next', 'previous'] as const) {
  pagers[side].addEventListener('click', () => {
    const query = neighbours[side];
    if (query === null) return;
    go(query);
    region.scrollTo({ top: 0 });
  });
}

document.addEventListener('keydown', (event) => {
  const isWriting = event.target instanceof Element && event.target.closest('input, select, textarea');
  if (event.key !== '/' || isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  search.focus();
  search.select();
});

window.addEventListener('popstate', () => {
  search.value = currentQuery().get('search') ?? '';
  show();
});

for (const size of ['10', '25', '50', '100']) limit.append(element('option', { value: size }, size));
details.open = matchMedia('(min-width: 64rem)').matches;
show();
if (token === '') tokenInput.focus();

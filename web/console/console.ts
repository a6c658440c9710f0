import { currentQuery, followAddress, writeAddress } from './address.ts';
import { fetchUsers, type Problem } from './api.ts';
import { makeChips } from './chips.ts';
import { makeFilters } from './filters.ts';
import { makePaging } from './paging.ts';
import { makeProblemBox } from './problem.ts';
import { makeSearch } from './search.ts';
import { makeSignIn } from './sign-in.ts';
import { makeTable } from './table.ts';

// Each part shows what it is given of the query and of the answer, and calls `go` with the query that somebody asks for there.
const main = document.querySelector('main') as HTMLElement;
const signIn = makeSignIn(show, leave);
const search = makeSearch(go);
const filters = makeFilters(go);
const chips = makeChips(go);
const problemBox = makeProblemBox(go);
const table = makeTable(go);
const paging = makePaging(go, (query) => {
  go(query);
  table.scrollUp();
});

let running: AbortController | undefined;

function go(query: URLSearchParams, options?: { replace?: boolean }): void {
  writeAddress(query, options);
  show();
}

/** Shows what the address asks for. */
async function show(): Promise<void> {
  const query = currentQuery();
  for (const part of [search, filters, chips, table, paging]) part.showQuery(query);
  const token = signIn.token();
  if (token === '') return;

  running?.abort();
  running = new AbortController();
  const { signal } = running;
  main.setAttribute('aria-busy', 'true');
  try {
    const { page, problem } = await fetchUsers(query, token, signal);
    if (signal.aborted) return;
    table.showUsers(page?.results ?? []);
    paging.showPage(query, page);
    showProblem(problem); // which empties the table again where it takes the token away
    main.setAttribute('aria-busy', 'false');
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Each message at its field: the search's, the filters', the token's; what has no field goes above the table. */
function showProblem(problem: Problem | undefined): void {
  const { search: ofSearch, ...errors } = problem?.errors ?? {};
  search.showErrors(ofSearch);
  const others = filters.showErrors(errors);
  const isAboutToken = problem?.status === 401 || problem?.status === 403;
  signIn.showErrors(isAboutToken ? [problem.detail] : undefined);
  problemBox.show(others, problem?.errors || isAboutToken ? undefined : problem?.detail);
}

/** There is no token any more. */
function leave(): void {
  running?.abort();
  table.clear();
  paging.showPage(currentQuery(), undefined);
  main.setAttribute('aria-busy', 'false');
}

followAddress(() => {
  search.showStep(currentQuery());
  show();
});

show();
signIn.focus();

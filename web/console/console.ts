import { currentQuery, followAddress, writeAddress } from './address.ts';
import { fetchUsers, type Problem } from './api.ts';
import { makeChips } from './chips.ts';
import { byId } from './element.ts';
import { makeFilters } from './filters.ts';
import { makeOrdering } from './ordering.ts';
import { makePaging } from './paging.ts';
import { makeProblemBox } from './problem.ts';
import { makeRequestLine } from './request-line.ts';
import { makeSearch } from './search.ts';
import { makeSignIn } from './sign-in.ts';
import { makeTable } from './table.ts';
import { makeZoneSwitch } from './times.ts';
import { makeUserPanel } from './user-panel.ts';

// Each part shows what it is given of the query and of the answer, and calls `go` with the query that somebody asks for there.
const main = byId('main', HTMLElement);
const busyLine = byId('busy', HTMLElement);
const signIn = makeSignIn(show, leave);
const search = makeSearch(go);
const filters = makeFilters(go);
const chips = makeChips(go);
const problemBox = makeProblemBox(go);
const panel = makeUserPanel();
const table = makeTable(go, panel.open);
const ordering = makeOrdering(go);
const requestLine = makeRequestLine();
const zoneSwitch = makeZoneSwitch(table.showZone);
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
  for (const part of [search, filters, chips, table, ordering, requestLine, paging]) part.showQuery(query);
  zoneSwitch.showZone();
  const token = signIn.token();
  if (token === '') return;

  running?.abort();
  running = new AbortController();
  const { signal } = running;
  setBusy(true);
  try {
    const { found: page, problem } = await fetchUsers(query, token, signal);
    if (signal.aborted) return;
    table.showUsers(page?.results);
    paging.showPage(query, page);
    showProblem(problem); // which empties the table again where it takes the token away
    setBusy(false);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** For screen readers, and in the header, which is seen wherever one has scrolled to. */
function setBusy(isBusy: boolean): void {
  main.setAttribute('aria-busy', String(isBusy));
  busyLine.hidden = !isBusy;
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
  table.showUsers(undefined);
  paging.showPage(currentQuery(), undefined);
  setBusy(false);
}

followAddress(() => {
  panel.close();
  search.showStep(currentQuery());
  show();
});

show();
signIn.focus();

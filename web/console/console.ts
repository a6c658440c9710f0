import { currentQuery, followAddress, writeAddress } from './address.ts';
import { type CsvFile, fetchFile, fetchUsers, type Problem } from './api.ts';
import { makeChips } from './chips.ts';
import { makeDownload } from './download.ts';
import { byId } from './element.ts';
import { makeFilters } from './filters.ts';
import { forgetGroups, learnGroups } from './groups.ts';
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
const download = makeDownload(fetchShownFile);
const paging = makePaging(go, (query) => {
  go(query);
  table.scrollUp();
});

let running: AbortController | undefined;
let saving: AbortController | undefined;

function go(query: URLSearchParams, options?: { replace?: boolean }): void {
  writeAddress(query, options);
  show();
}

/** Shows what the address asks for. */
async function show(): Promise<void> {
  const query = currentQuery();
  for (const part of [search, filters, chips, table, ordering, requestLine, paging]) part.showQuery(query);
  zoneSwitch.showZone();
  problemBox.clear();
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
    for (const part of [paging, download]) part.showPage(query, page);
    if (learnGroups(page?.results ?? [])) showGroups();
    showProblem(problem); // which empties the table again where it takes the token away
    setBusy(false);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The file of what is shown; nothing where there is none, and then why. */
async function fetchShownFile(query: URLSearchParams): Promise<CsvFile | undefined> {
  saving = new AbortController();
  const { signal } = saving;
  try {
    const { found, problem } = await fetchFile(query, signIn.token(), signal);
    if (signal.aborted) return undefined;
    if (problem) showProblem({ status: problem.status, detail: toMessages(problem).join(' ') });
    return found;
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  }
}

/** All of them in one place: a file has no fields. */
const toMessages = ({ detail, errors }: Problem): string[] => (errors ? Object.values(errors).flat() : [detail]);

/** By their names, which are known as far as they have been seen. */
function showGroups(): void {
  filters.showOffers(currentQuery());
  chips.showNames(currentQuery());
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
  for (const asked of [running, saving]) asked?.abort();
  table.showUsers(undefined);
  for (const part of [paging, download]) part.showPage(currentQuery(), undefined);
  problemBox.clear();
  forgetGroups();
  showGroups();
  setBusy(false);
}

followAddress(() => {
  panel.close();
  search.showStep(currentQuery());
  show();
});

show();
signIn.focus();

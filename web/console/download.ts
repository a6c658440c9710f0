import { without } from './address.ts';
import type { CsvFile, UserPage } from './api.ts';
import { byId, element } from './element.ts';
import { positions } from './parameters.ts';

/** How many users one file holds; the build puts the API's own number here. */
declare const maxExport: number;

/** How long a browser may take to begin with saving a file. */
const savingMs = 60_000;

/**
 * The button that saves the whole list that is shown, with its filters and in its order, as a file for spreadsheets. Where it is too long
 * for one file, it says so before anybody has tried. `download` returns nothing where it has shown why.
 */
export function makeDownload(download: (query: URLSearchParams) => Promise<CsvFile | undefined>) {
  const button = byId('download', HTMLButtonElement);
  const note = byId('download-note', HTMLElement);
  let query: URLSearchParams | undefined;
  let isRunning = false;

  function showButton(): void {
    button.textContent = isRunning ? 'Downloading…' : 'Download CSV';
    button.setAttribute('aria-disabled', String(isRunning || !query));
  }

  button.title = `The whole list with its filters, as a file of at most ${maxExport.toLocaleString('en')} users`;
  button.addEventListener('click', async () => {
    if (isRunning || !query) return;
    isRunning = true;
    showButton();
    const file = await download(query);
    isRunning = false;
    showButton();
    if (file) save(file);
  });
  showButton();

  return {
    showPage(shown: URLSearchParams, page: UserPage | undefined): void {
      const isTooLong = page !== undefined && page.count > maxExport;
      query = page && !isTooLong && page.count > 0 ? toFileQuery(shown) : undefined;
      note.hidden = !isTooLong;
      note.textContent = isTooLong ? toNote(page.count) : '';
      showButton();
    },
  };
}

const toNote = (count: number): string =>
  `A CSV file holds at most ${maxExport.toLocaleString('en')} users, and these are ${count.toLocaleString('en')}. ` +
  'To download them, narrow the list by filters, such as ID min and ID max.';

/** All of the list, in place of a page. */
function toFileQuery(shown: URLSearchParams): URLSearchParams {
  const query = without(shown, ['limit', ...positions]);
  query.set('format', 'csv');
  return query;
}

function save({ name, contents }: CsvFile): void {
  const href = URL.createObjectURL(contents);
  element('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), savingMs);
}

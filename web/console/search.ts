import { currentQuery, type Go, withValue } from './address.ts';
import { showErrors } from './control.ts';
import { byId } from './element.ts';

/** Who types for longer than this without a pause waits for the answer until then. */
const pauseMs = 250;

/** The search field. It searches while one types, and `/` leads to it from everywhere. */
export function makeSearch(go: Go) {
  const input = byId('search', HTMLInputElement);
  const error = byId('search-error', HTMLElement);
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** One step of the history for a word, not for each letter. */
  let replace = false;

  const show = (query: URLSearchParams) => {
    input.value = query.get('search') ?? '';
  };

  function searchNow(): void {
    clearTimeout(timer);
    const text = input.value.trim();
    if (text === (currentQuery().get('search') ?? '')) return;
    go(withValue('search', text), { replace });
    replace = true;
  }

  function searchSoon(): void {
    clearTimeout(timer);
    timer = setTimeout(searchNow, pauseMs);
  }

  // What an input method is still composing nobody looks for: half a syllable, or letters in place of a word.
  input.addEventListener('input', (event) => {
    if (event instanceof InputEvent && event.isComposing) clearTimeout(timer);
    else searchSoon();
  });
  input.addEventListener('compositionend', searchSoon);

  // Enter, or whatever is done next: it must not find a search that is still waiting.
  input.addEventListener('change', searchNow);

  input.addEventListener('blur', () => {
    replace = false;
  });

  document.addEventListener('keydown', (event) => {
    const isWriting = event.target instanceof Element && event.target.closest('input, select, textarea');
    if (event.key !== '/' || isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });

  return {
    showQuery(query: URLSearchParams): void {
      // Not while somebody types there: the address lags behind.
      if (document.activeElement !== input) show(query);
    },
    /** One may go back while the field has the focus. */
    showStep: show,
    showErrors: (messages: string[] | undefined): void => showErrors(input, error, messages),
  };
}

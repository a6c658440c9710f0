import { type Go, withValue } from './address.ts';
import type { UserPage } from './api.ts';
import { selectValue } from './control.ts';
import { byId, element } from './element.ts';
import { defaultLimit } from './parameters.ts';

const offeredLimits = ['10', '25', '50', '100'];

/** Which part of the list is shown, how long it may be, and the buttons to the parts beside it, which call `turn` with their query. */
export function makePaging(go: Go, turn: Go) {
  const status = byId('status', HTMLElement);
  const limit = byId('limit', HTMLSelectElement);
  const showNext = makePager(byId('next', HTMLButtonElement), turn);
  const showPrevious = makePager(byId('previous', HTMLButtonElement), turn);

  limit.append(...offeredLimits.map((value) => element('option', { value }, value)));
  limit.addEventListener('change', () => go(withValue('limit', limit.value === defaultLimit ? '' : limit.value)));

  return {
    showQuery: (query: URLSearchParams): void => selectValue(limit, query.get('limit') ?? defaultLimit),
    showPage(query: URLSearchParams, page: UserPage | undefined): void {
      status.textContent = page ? toStatus(query, page) : '';
      showNext(page?.next);
      showPrevious(page?.previous);
    },
  };
}

/** What it returns gives the button its link. Only the link's query is followed: the token goes to no other host. */
function makePager(button: HTMLButtonElement, turn: Go): (link: string | null | undefined) => void {
  let query: URLSearchParams | undefined;
  button.addEventListener('click', () => {
    if (query) turn(query);
  });
  return (link) => {
    query = link ? new URL(link).searchParams : undefined;
    button.setAttribute('aria-disabled', String(!query));
  };
}

/** `11–20 of 1,234 users` */
function toStatus(query: URLSearchParams, { count, results }: UserPage): string {
  if (count === 0) return 'Nobody matches';
  const users = `${toText(count)} ${count === 1 ? 'user' : 'users'}`;
  if (results.length === 0) return `No more of ${users}`;
  const skipped = Number(query.get('offset') ?? 0);
  return `${toText(skipped + 1)}–${toText(skipped + results.length)} of ${users}`;
}

const toText = (number: number): string => number.toLocaleString('en');

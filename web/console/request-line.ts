import { toUsersUrl } from './api.ts';
import { byId, element } from './element.ts';

/** The request for what is shown, as one types it into a shell, with a button that copies it. The token is the shell's variable TOKEN. */
export function toRequestLine(query: URLSearchParams): HTMLElement {
  const line = `curl -H "Authorization: Token $TOKEN" '${toUsersUrl(query).href}'`;
  const button = element('button', { type: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(line);
    button.textContent = 'Copied';
  });
  // A page that comes neither by TLS nor from this computer has no clipboard; there one selects the line.
  return element('div', { class: 'request-line' }, element('code', {}, line), navigator.clipboard && button);
}

/** That of the list, behind a button of the bar. */
export function makeRequestLine() {
  const place = byId('request-line', HTMLElement);
  return { showQuery: (query: URLSearchParams): void => place.replaceChildren(toRequestLine(query)) };
}

import { showErrors } from './control.ts';
import { byId } from './element.ts';

/** In the tab's storage, which ends with the tab. */
const storageName = 'users-api-token';

/**
 * The form that asks for a token, the list in its place while there is one, and the button that forgets it. `enter` is called when a token
 * is given, `leave` when it is forgotten.
 */
export function makeSignIn(enter: () => void, leave: () => void) {
  const form = byId('sign-in', HTMLFormElement);
  const input = byId('token', HTMLInputElement);
  const error = byId('token-error', HTMLElement);
  const list = byId('list', HTMLElement);
  const forgetButton = byId('forget', HTMLButtonElement);
  const keep = byId('keep', HTMLInputElement);
  const storage = openStorage();
  keep.disabled = !storage;
  /** Here, and in the tab's own storage where somebody has asked for it: in no cookie, no address. */
  let token = storage?.getItem(storageName) ?? '';

  /** In one step: with neither to be seen the page would be shorter for a moment, and scroll up. */
  function showFormOrList(): void {
    form.hidden = token !== '';
    list.hidden = token === '';
    forgetButton.hidden = token === '';
  }

  function forget(): void {
    token = '';
    storage?.removeItem(storageName);
    leave();
    showFormOrList();
    input.focus();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    token = input.value.trim().replace(/^Token\s+/i, '');
    input.value = '';
    if (keep.checked) storage?.setItem(storageName, token);
    showFormOrList();
    enter();
  });

  showFormOrList();

  forgetButton.addEventListener('click', forget);

  return {
    /** '' as long as nobody has entered one. */
    token: (): string => token,
    focus: (): void => input.focus(), // which is not to be had where the list is shown
    /** A token that is refused is forgotten, and another one asked for. */
    showErrors(messages: string[] | undefined): void {
      showErrors(input, error, messages);
      if (messages) forget();
    },
  };
}

/** The tab's; none where the browser has been told to let pages store nothing. */
function openStorage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

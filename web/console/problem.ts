import { currentQuery, type Go, without } from './address.ts';
import { byId, element } from './element.ts';
import { positions } from './parameters.ts';

/** Above the list: what is wrong and has no field to say it at. */
export function makeProblemBox(go: Go) {
  const box = byId('problem', HTMLElement);

  /** Takes the parameters out that have no field to mend them in, or tries again. */
  function makeButton(names: string[]): HTMLElement {
    const button = element('button', { type: 'button' }, names.length > 0 ? 'Leave it out' : 'Try again');
    button.addEventListener('click', () => {
      go(without(currentQuery(), names), { replace: true });
    });
    return button;
  }

  function hide(): void {
    box.hidden = true;
    box.replaceChildren();
  }

  return {
    /** What was wrong is said no longer; but for who is about to press its button, who would press nothing. */
    clear(): void {
      if (!box.matches(':active')) hide();
    },
    /** `errors` are those of parameters without a field; `detail` says what is about no parameter. */
    show(errors: Record<string, string[]>, detail: string | undefined): void {
      const lines = Object.entries(errors).map(([name, messages]) => `${toPlace(name)}: ${messages.join(' ')}`);
      if (detail !== undefined) lines.push(detail);
      hide();
      if (lines.length === 0) return;
      box.append(...lines.map((line) => element('p', {}, line)), makeButton(Object.keys(errors)));
      box.hidden = false;
    },
  };
}

/** Where somebody finds the parameter. */
function toPlace(name: string): string {
  if (name === 'limit') return 'Rows';
  if (name === 'ordering') return 'The order';
  return positions.includes(name) ? 'The page' : `“${name}” in the address`;
}

import { currentQuery, type Go } from './address.ts';
import { byId, element } from './element.ts';

/** Above the list: what is wrong and has no field to say it at. */
export function makeProblemBox(go: Go) {
  const box = byId('problem', HTMLElement);

  /** Takes the parameters out that have no field to mend them in, or tries again. */
  function makeButton(names: string[]): HTMLElement {
    const button = element('button', { type: 'button' }, names.length > 0 ? 'Leave it out' : 'Try again');
    button.addEventListener('click', () => {
      const query = currentQuery();
      for (const name of names) query.delete(name);
      go(query, { replace: true });
    });
    return button;
  }

  return {
    /** `errors` are those of parameters without a field; `detail` says what is about no parameter. */
    show(errors: Record<string, string[]>, detail: string | undefined): void {
      const lines = Object.entries(errors).map(([name, messages]) => `${name}: ${messages.join(' ')}`);
      if (detail !== undefined) lines.push(detail);
      box.hidden = lines.length === 0;
      box.replaceChildren(...lines.map((line) => element('p', {}, line)));
      if (lines.length > 0) box.append(makeButton(Object.keys(errors)));
    },
  };
}

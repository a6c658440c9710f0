import { type Go, withoutFilters, withValue } from './address.ts';
import { byId, element } from './element.ts';
import { toLabel, toUsedFilters, toValueText } from './parameters.ts';

/** Above the list: a button for each filter in use, which removes it, and one for all. */
export function makeChips(go: Go) {
  const chips = byId('chips', HTMLElement);

  function makeChip(text: string, label: string, toQuery: () => URLSearchParams): HTMLElement {
    const button = element('button', { type: 'button', 'aria-label': label }, text);
    button.append(element('span', { 'aria-hidden': 'true' }, '×'));
    button.addEventListener('click', () => {
      go(toQuery());
      // The button is gone. What has the focus now is the first that is left, or what stands after them.
      const next = chips.querySelector('button') ?? byId('limit', HTMLSelectElement);
      next.focus();
    });
    return element('li', {}, button);
  }

  function showQuery(query: URLSearchParams): void {
    const used = toUsedFilters(query).map((parameter) => {
      const { name } = parameter;
      const text = `${toLabel(name)}: ${toValueText(parameter, query.get(name) ?? '')}`;
      return makeChip(text, `Remove ${text}`, () => withValue(name, ''));
    });
    chips.replaceChildren(...used);
    if (used.length > 1) chips.append(makeChip('Clear all', 'Clear all filters', withoutFilters));
  }

  return {
    showQuery,
    /** With the names of groups that were learned since; not where it would take the focus away. */
    showNames(query: URLSearchParams): void {
      if (!chips.contains(document.activeElement)) showQuery(query);
    },
  };
}

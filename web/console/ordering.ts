import { type Go, withValue } from './address.ts';
import { selectValue } from './control.ts';
import { byId, element } from './element.ts';
import { defaultOrdering, sortFields, toLabel } from './parameters.ts';

/** Sorts the cards, which have no headers to do it by. */
export function makeOrdering(go: Go) {
  const select = byId('ordering', HTMLSelectElement);
  for (const field of sortFields) {
    select.append(
      element('option', { value: field }, `${toLabel(field)}, ascending`),
      element('option', { value: `-${field}` }, `${toLabel(field)}, descending`),
    );
  }
  select.addEventListener('change', () => {
    go(withValue('ordering', select.value === defaultOrdering ? '' : select.value));
  });
  return { showQuery: (query: URLSearchParams): void => selectValue(select, query.get('ordering') || defaultOrdering) };
}

import { type Go, withValues } from './address.ts';
import { byId } from './element.ts';
import { makeFields } from './fields.ts';
import { toUsedFilters } from './parameters.ts';

/** The filters beside the list; where there is no room beside it, they are closed at first. */
export function makeFilters(go: Go) {
  const details = byId('filters', HTMLDetailsElement);
  const count = byId('filter-count', HTMLElement);
  const form = details.querySelector('form') as HTMLFormElement;
  const { fields, offers } = makeFields(form, (values) => go(withValues(values)));
  const names = new Set(fields.map(({ name }) => name));
  details.open = matchMedia('(min-width: 64rem)').matches;

  function showOffers(query: URLSearchParams): void {
    for (const offer of offers) offer.show(query);
  }

  return {
    /** With the groups that were learned since. */
    showOffers,
    showQuery(query: URLSearchParams): void {
      for (const field of fields) field.show(query.get(field.name) ?? '');
      showOffers(query);
      const used = toUsedFilters(query).length;
      count.textContent = String(used);
      count.hidden = used === 0;
    },
    /** Says each error at its field, and returns those that have none. */
    showErrors(errors: Record<string, string[]>): Record<string, string[]> {
      for (const field of fields) field.showErrors(errors[field.name]);
      if (Object.keys(errors).some((name) => names.has(name))) details.open = true;
      return Object.fromEntries(Object.entries(errors).filter(([name]) => !names.has(name)));
    },
  };
}

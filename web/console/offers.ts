import { element } from './element.ts';
import { knownGroups, toGroupIds } from './groups.ts';

/** Beside the fields: buttons that fill them. `change` is called with the values, by the names of the fields. */
export type Offer = { row: HTMLElement; show: (query: URLSearchParams) => void };
export type Change = (values: Record<string, string>) => void;

/** Of a filter by groups: their names. Pressed are those that it holds. */
export function makeGroupOffer(name: string, change: Change): Offer {
  const row = element('div', { class: 'offers', role: 'group', 'aria-label': 'Groups seen so far' });

  function toButton([id, groupName]: [string, string], chosen: string[]): HTMLElement {
    const isChosen = chosen.includes(id);
    const attributes = {
      type: 'button',
      dir: 'auto',
      'aria-pressed': String(isChosen),
      title: `Group ${id}: ${groupName}`,
    };
    const button = element('button', attributes, groupName);
    button.addEventListener('click', () => {
      change({ [name]: (isChosen ? chosen.filter((other) => other !== id) : [...chosen, id]).join(',') });
      [...row.querySelectorAll('button')].find(({ title }) => title === button.title)?.focus();
    });
    return button;
  }

  return {
    row,
    show(query): void {
      const chosen = toGroupIds(query.get(name) ?? '');
      row.replaceChildren(...knownGroups().map((group) => toButton(group, chosen)));
    },
  };
}

const dayMs = 24 * 60 * 60 * 1000;

/** `2026-02-21`, so many days ago in UTC, in which the filters' days are. */
const toDay = (daysAgo: number): string => new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10);

/** Of the filters by a time, such as created_date, created_from and created_to: days that are often asked for. */
export function makeDayOffer(stem: string, change: Change): Offer {
  const none = { [`${stem}_date`]: '', [`${stem}_from`]: '', [`${stem}_to`]: '' };
  const choices = [
    { text: 'Today', toValues: () => ({ ...none, [`${stem}_date`]: toDay(0) }) },
    { text: 'Last 7 days', toValues: () => ({ ...none, [`${stem}_from`]: toDay(6) }) },
  ].map(({ text, toValues }) => {
    const button = element('button', { type: 'button', 'aria-pressed': 'false' }, text);
    button.addEventListener('click', () => change(button.ariaPressed === 'true' ? none : toValues()));
    return { button, toValues };
  });

  return {
    row: element('div', { class: 'offers' }, ...choices.map(({ button }) => button)),
    show(query): void {
      for (const { button, toValues } of choices) {
        const isChosen = Object.entries(toValues()).every(([name, value]) => (query.get(name) ?? '') === value);
        button.ariaPressed = String(isChosen);
      }
    },
  };
}

import type { User } from '../../lib/users/user.ts';
import { type Go, withValue } from './address.ts';
import { none, toContact, toGroups, toPerson, toRoles, toTime } from './cells.ts';
import { type Child, element } from './element.ts';
import { defaultOrdering, sortFields } from './parameters.ts';

type Column = { title: string; sortField?: string; toCell: (user: User) => Child[] };

const columns: Column[] = [
  { title: 'ID', sortField: 'id', toCell: ({ id }) => [element('span', { class: 'number' }, String(id))] },
  { title: 'User', sortField: 'username', toCell: (user) => [toPerson(user)] },
  { title: 'Contact', sortField: 'email', toCell: toContact },
  { title: 'Role', toCell: toRoles },
  { title: 'Groups', toCell: toGroups },
  { title: 'Gender', sortField: 'gender', toCell: ({ gender }) => [gender ?? none()] },
  { title: 'Last login', sortField: 'last_login', toCell: ({ last_login }) => [toTime(last_login)] },
  { title: 'Created', sortField: 'created_at', toCell: ({ created_at }) => [toTime(created_at)] },
  { title: 'Updated', sortField: 'updated_at', toCell: ({ updated_at }) => [toTime(updated_at)] },
];

/** The users as a table, whose headers sort. */
export function makeTable(go: Go) {
  const region = document.querySelector('.table') as HTMLElement;
  region.tabIndex = 0; // so that the arrow keys scroll it
  let current = defaultOrdering;
  const headers = columns.map(({ title, sortField }) => {
    if (!sortField || !sortFields.has(sortField)) return element('th', { scope: 'col' }, title);
    const arrow = element('span', { class: 'arrow', 'aria-hidden': 'true' });
    const button = element('button', { type: 'button', class: 'sort' }, title, arrow);
    button.addEventListener('click', () => go(withValue('ordering', toNextOrdering(current, sortField))));
    return element('th', { scope: 'col' }, button);
  });
  const body = element('tbody');
  const caption = element('caption', { class: 'hidden' }, 'Users; the buttons in the headers sort. Times are in UTC.');
  region.append(element('table', {}, caption, element('thead', {}, element('tr', {}, ...headers)), body));
  return {
    showQuery(query: URLSearchParams): void {
      current = query.get('ordering') || defaultOrdering;
      const [first = ''] = current.split(',');
      columns.forEach(({ sortField }, index) => {
        if (sortField) headers[index]?.setAttribute('aria-sort', toDirection(first, sortField));
      });
    },
    showUsers(users: User[]): void {
      body.replaceChildren(...users.map(toRow));
      region.classList.toggle('empty', users.length === 0);
    },
    /** Without saying that there are none. */
    clear(): void {
      body.replaceChildren();
      region.classList.remove('empty');
    },
    scrollUp: (): void => region.scrollTo({ top: 0 }),
  };
}

function toRow(user: User): HTMLElement {
  const cells = columns.map(({ toCell }) => element('td', {}, ...toCell(user)));
  return element('tr', { class: user.is_active ? undefined : 'inactive' }, ...cells);
}

/** As `aria-sort` has it. */
function toDirection(ordering: string, field: string): string {
  if (ordering === field) return 'ascending';
  return ordering === `-${field}` ? 'descending' : 'none';
}

/** Ascending, descending, and back to the default. */
function toNextOrdering(current: string, field: string): string {
  if (current === field) return `-${field}`;
  return current === `-${field}` && current !== defaultOrdering ? '' : field;
}

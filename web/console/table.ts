import type { User } from '../../lib/users/user.ts';
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

export type Table = { showOrdering: (ordering: string | null) => void; showUsers: (users: User[]) => void };

/** Fills the region with a table. `sort` is called with the ordering that a header asks for; '' is the default one. */
export function makeTable(region: HTMLElement, sort: (ordering: string) => void): Table {
  region.tabIndex = 0; // so that the arrow keys scroll it
  let current = defaultOrdering;
  const headers = columns.map(({ title, sortField }) => {
    if (!sortField || !sortFields.has(sortField)) return element('th', { scope: 'col' }, title);
    const button = element(
      'button',
      { type: 'button', class: 'sort' },
      title,
      element('span', { class: 'arrow', 'aria-hidden': 'true' }),
    );
    button.addEventListener('click', () => sort(toNextOrdering(current, sortField)));
    return element('th', { scope: 'col' }, button);
  });
  const body = element('tbody');
  const caption = element('caption', { class: 'hidden' }, 'Users; the buttons in the headers sort. Times are in UTC.');
  region.append(element('table', {}, caption, element('thead', {}, element('tr', {}, ...headers)), body));
  return {
    showOrdering(ordering) {
      current = ordering || defaultOrdering;
      const [first = ''] = current.split(',');
      columns.forEach(({ sortField }, index) => {
        const direction =
          first === sortField ? 'ascending' : first === `-${sortField}` ? 'descending' : sortField && 'none';
        if (direction) headers[index]?.setAttribute('aria-sort', direction);
      });
    },
    showUsers(users) {
      body.replaceChildren(...users.map(toRow));
    },
  };
}

function toRow(user: User): HTMLElement {
  const cells = columns.map(({ toCell }) => element('td', {}, ...toCell(user)));
  return element('tr', { class: user.is_active ? undefined : 'inactive' }, ...cells);
}

/** Ascending, descending, and back to the default. */
function toNextOrdering(current: string, field: string): string {
  if (current === field) return `-${field}`;
  return current === `-${field}` && current !== defaultOrdering ? '' : field;
}

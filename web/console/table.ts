import type { User } from '../../lib/users/user.ts';
import { type Go, withValue } from './address.ts';
import { none, toContact, toGroups, toPerson, toRoles } from './cells.ts';
import { byId, type Child, element } from './element.ts';
import { defaultOrdering, sortFields } from './parameters.ts';
import { toTime } from './times.ts';

/** `name` is its class, by which it has its width and its place on a card. */
type Column = { name: string; title: string; sortField?: string; toCell: (user: User, open: Open) => Child[] };

type Open = (user: User) => void;

const columns: Column[] = [
  { name: 'id', title: 'ID', sortField: 'id', toCell: ({ id }) => [element('span', { class: 'number' }, String(id))] },
  { name: 'user', title: 'User', sortField: 'username', toCell: (user, open) => [toPerson(user, open)] },
  { name: 'contact', title: 'Contact', sortField: 'email', toCell: toContact },
  { name: 'role', title: 'Role', toCell: toRoles },
  { name: 'groups', title: 'Groups', toCell: toGroups },
  { name: 'gender', title: 'Gender', sortField: 'gender', toCell: ({ gender }) => [gender ?? none()] },
  {
    name: 'login',
    title: 'Last login',
    sortField: 'last_login',
    toCell: ({ last_login }) => [last_login ? toTime(last_login) : none()],
  },
  { name: 'created', title: 'Created', sortField: 'created_at', toCell: ({ created_at }) => [toTime(created_at)] },
  { name: 'updated', title: 'Updated', sortField: 'updated_at', toCell: ({ updated_at }) => [toTime(updated_at)] },
];

/** The users as a table, whose headers sort. `open` shows one of them in full. */
export function makeTable(go: Go, open: Open) {
  const region = document.querySelector('.table') as HTMLElement;
  region.tabIndex = 0; // so that the arrow keys scroll it
  let current = defaultOrdering;
  let shown: User[] = [];
  const headers = columns.map(({ name, title, sortField }) => {
    if (!sortField || !sortFields.has(sortField)) return element('th', { scope: 'col', class: name }, title);
    const arrow = element('span', { class: 'arrow', 'aria-hidden': 'true' });
    const button = element('button', { type: 'button', class: 'sort' }, title, arrow);
    button.addEventListener('click', () => go(withValue('ordering', toNextOrdering(current, sortField))));
    return element('th', { scope: 'col', class: name }, button);
  });
  const body = element('tbody');
  const caption = element('caption', { class: 'hidden' }, 'Users; the buttons in the headers sort.');
  region.append(element('table', {}, caption, element('thead', {}, element('tr', {}, ...headers)), body));

  /** `undefined`: nobody knows whether there are any. */
  function showUsers(users: User[] | undefined): void {
    shown = users ?? [];
    body.replaceChildren(...shown.map((user) => toRow(user, open)));
    region.classList.toggle('empty', users?.length === 0);
  }

  return {
    showQuery(query: URLSearchParams): void {
      current = query.get('ordering') || defaultOrdering;
      const [first = ''] = current.split(',');
      columns.forEach(({ sortField }, index) => {
        if (sortField) headers[index]?.setAttribute('aria-sort', toDirection(first, sortField));
      });
    },
    showUsers,
    /** The same users, in the zone that times are shown in now. */
    showZone: (): void => body.replaceChildren(...shown.map((user) => toRow(user, open))),
    /** To the top of the list, where that is out of sight. */
    scrollUp(): void {
      region.scrollTo({ top: 0 });
      const list = byId('list', HTMLElement);
      const header = document.querySelector('header') as HTMLElement;
      if (list.getBoundingClientRect().top < header.offsetHeight) list.scrollIntoView();
    },
  };
}

function toRow(user: User, open: Open): HTMLElement {
  const cells = columns.map(({ name, title, toCell }) =>
    element('td', { class: name, 'data-title': title }, ...toCell(user, open)),
  );
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

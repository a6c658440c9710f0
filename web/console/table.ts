import type { User } from '../../lib/users/user.ts';
import { element, hidden } from './element.ts';
import { defaultOrdering, sortFields } from './parameters.ts';

type Column = { title: string; sortField?: string; cell: (user: User) => (Node | string)[] };

const columns: Column[] = [
  { title: 'ID', sortField: 'id', cell: ({ id }) => [element('span', { class: 'number' }, String(id))] },
  { title: 'User', sortField: 'username', cell: (user) => [toPerson(user)] },
  { title: 'Contact', sortField: 'email', cell: toContact },
  { title: 'Role', cell: toRoles },
  { title: 'Groups', cell: toGroups },
  { title: 'Gender', sortField: 'gender', cell: ({ gender }) => [gender ?? none()] },
  { title: 'Last login', sortField: 'last_login', cell: ({ last_login }) => [toTime(last_login)] },
  { title: 'Created', sortField: 'created_at', cell: ({ created_at }) => [toTime(created_at)] },
  { title: 'Updated', sortField: 'updated_at', cell: ({ updated_at }) => [toTime(updated_at)] },
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
      body.replaceChildren(
        ...users.map((user) =>
          element(
            'tr',
            user.is_active ? {} : { class: 'inactive' },
            ...columns.map(({ cell }) => element('td', {}, ...cell(user))),
          ),
        ),
      );
    },
  };
}

/** Ascending, descending, and back to the default. */
function toNextOrdering(current: string, field: string): string {
  if (current === field) return `-${field}`;
  return current === `-${field}` && current !== defaultOrdering ? '' : field;
}

function toPerson(user: User): HTMLElement {
  const { username, full_name, is_online } = user;
  const dot = element('span', { class: is_online ? 'dot online' : 'dot', title: is_online ? 'Online' : 'Offline' });
  dot.append(hidden(is_online ? 'online' : 'offline'));
  return element(
    'div',
    { class: 'person' },
    element('span', { class: 'portrait' }, toAvatar(user), dot),
    element(
      'span',
      { class: 'names' },
      element('span', { class: 'name', dir: 'auto' }, full_name ?? username),
      element('span', { class: 'faint', dir: 'auto' }, username),
    ),
  );
}

function toAvatar({ id, avatar, full_name, username }: User): HTMLElement {
  const initials = element(
    'span',
    { class: `avatar hue-${id % 6}`, 'aria-hidden': 'true' },
    toInitials(full_name ?? username),
  );
  if (avatar === null) return initials;
  const image = element('img', { class: 'avatar', alt: '', width: 36, height: 36, referrerpolicy: 'no-referrer' });
  image.addEventListener('error', () => image.replaceWith(initials));
  image.src = avatar;
  return image;
}

/** Of the first and the last word, as people see letters: 👩‍👩‍👧‍👦 is one. */
function toInitials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].flatMap((word = '') =>
    [...new Intl.Segmenter().segment(word)].slice(0, 1).map(({ segment }) => segment),
  );
  return letters.join('').toUpperCase();
}

function toContact({ email, is_email_verified, mobile_number }: User): Node[] {
  if (!email && !mobile_number) return [none()];
  const verified = element('span', { class: 'verified', title: 'Verified' }, '✓', hidden('verified'));
  return [
    ...(email
      ? [element('span', { class: 'line' }, element('bdi', {}, email), ...(is_email_verified ? [verified] : []))]
      : []),
    ...(mobile_number ? [element('span', { class: 'line faint' }, element('bdi', {}, mobile_number))] : []),
  ];
}

function toRoles({ is_admin, is_staff, is_active }: User): Node[] {
  return [
    ...(is_admin ? [element('span', { class: 'tag admin' }, 'Admin')] : []),
    ...(is_staff ? [element('span', { class: 'tag' }, 'Staff')] : []),
    ...(is_active ? [] : [element('span', { class: 'tag off' }, 'Inactive')]),
  ];
}

function toGroups({ groups_data }: User): Node[] {
  if (groups_data.length === 0) return [none()];
  return groups_data.map(({ id, name }) =>
    element('span', { class: 'tag group', dir: 'auto', title: `Group ${id}` }, name),
  );
}

const dayFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });
const timeFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' });

/** In UTC, because the filters' days are. */
function toTime(timestamp: string | null): HTMLElement {
  if (timestamp === null) return none();
  const date = new Date(timestamp);
  const time = element('span', { class: 'faint' }, timeFormat.format(date));
  return element('time', { datetime: timestamp, title: timestamp }, dayFormat.format(date), time);
}

const none = (): HTMLElement => element('span', { class: 'faint' }, '–', hidden('none'));

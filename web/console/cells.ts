import type { User } from '../../lib/users/user.ts';
import { type Child, element, hidden } from './element.ts';

export function toPerson(user: User): HTMLElement {
  const { username, full_name } = user;
  const names = element(
    'span',
    { class: 'names' },
    element('span', { class: 'name', dir: 'auto' }, full_name ?? username),
    element('span', { class: 'faint', dir: 'auto' }, username),
  );
  return element(
    'div',
    { class: 'person' },
    element('span', { class: 'portrait' }, toAvatar(user), toDot(user)),
    names,
  );
}

const toDot = ({ is_online }: User): HTMLElement =>
  is_online
    ? element('span', { class: 'dot online', title: 'Online' }, hidden('online'))
    : element('span', { class: 'dot', title: 'Offline' }, hidden('offline'));

/** How many colours the portraits without a picture have: `.hue-0` and so on, in cells.css. */
const hues = 6;

function toAvatar({ id, avatar, full_name, username }: User): HTMLElement {
  const text = toInitials(full_name ?? username);
  const initials = element('span', { class: `avatar hue-${id % hues}`, 'aria-hidden': 'true' }, text);
  if (avatar === null) return initials;
  const image = element('img', { class: 'avatar', alt: '', width: 36, height: 36, referrerpolicy: 'no-referrer' });
  image.addEventListener('error', () => image.replaceWith(initials));
  image.src = avatar;
  return image;
}

/** Of the first and the last word. */
function toInitials(name: string): string {
  const [first = '', ...others] = name.split(/\s+/).filter(Boolean);
  return [first, others.at(-1) ?? ''].map(toFirstLetter).join('').toUpperCase();
}

/** As people see letters: 👩‍👩‍👧‍👦 is one. */
function toFirstLetter(word: string): string {
  const [first] = new Intl.Segmenter().segment(word);
  return first?.segment ?? '';
}

export function toContact({ email, is_email_verified, mobile_number }: User): Child[] {
  if (!email && !mobile_number) return [none()];
  const verified = element('span', { class: 'verified', title: 'Verified' }, '✓', hidden('verified'));
  return [
    email && element('span', { class: 'line' }, element('bdi', {}, email), is_email_verified && verified),
    mobile_number && element('span', { class: 'line faint' }, element('bdi', {}, mobile_number)),
  ];
}

export const toRoles = ({ is_admin, is_staff, is_active }: User): Child[] => [
  is_admin && element('span', { class: 'tag admin' }, 'Admin'),
  is_staff && element('span', { class: 'tag' }, 'Staff'),
  !is_active && element('span', { class: 'tag off' }, 'Inactive'),
];

export function toGroups({ groups_data }: User): Child[] {
  if (groups_data.length === 0) return [none()];
  return groups_data.map(({ id, name }) =>
    element('span', { class: 'tag group', dir: 'auto', title: `Group ${id}` }, name),
  );
}

const dayFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });
const timeFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' });

/** In UTC, because the filters' days are. */
export function toTime(timestamp: string | null): HTMLElement {
  if (timestamp === null) return none();
  const date = new Date(timestamp);
  const time = element('span', { class: 'faint' }, timeFormat.format(date));
  return element('time', { datetime: timestamp, title: timestamp }, dayFormat.format(date), time);
}

export const none = (): HTMLElement => element('span', { class: 'faint' }, '–', hidden('none'));

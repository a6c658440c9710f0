import type { User } from '../../lib/users/user.ts';
import { type Child, element, hidden } from './element.ts';
import { toPortrait } from './portrait.ts';

export function toPerson(user: User): HTMLElement {
  const { username, full_name } = user;
  const names = element(
    'span',
    { class: 'names' },
    element('span', { class: 'name', dir: 'auto' }, full_name ?? username),
    element('span', { class: 'faint', dir: 'auto' }, username),
  );
  return element('div', { class: 'person' }, toPortrait(user), names);
}

export function toContact({ email, is_email_verified, mobile_number }: User): Child[] {
  if (!email && !mobile_number) return [none()];
  const verified = element('span', { class: 'verified', title: 'Verified' }, '✓', hidden('verified'));
  return [
    email && element('span', { class: 'line' }, element('bdi', {}, email), is_email_verified && verified),
    mobile_number && element('span', { class: 'line faint' }, element('bdi', {}, mobile_number)),
  ];
}

export const toRoles = ({ is_admin, is_staff, is_active }: User): Child[] =>
  withSpaces([
    is_admin && element('span', { class: 'tag admin' }, 'Admin'),
    is_staff && element('span', { class: 'tag' }, 'Staff'),
    !is_active && element('span', { class: 'tag off' }, 'Inactive'),
  ]);

export function toGroups({ groups_data }: User): Child[] {
  if (groups_data.length === 0) return [none()];
  return withSpaces(
    groups_data.map(({ id, name }) => element('span', { class: 'tag group', dir: 'auto', title: `Group ${id}` }, name)),
  );
}

/** Separate words for screen readers, and for who copies them. */
const withSpaces = (tags: Child[]): Child[] => tags.filter(Boolean).flatMap((tag) => [tag, ' ']);

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

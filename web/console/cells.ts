import type { User } from '../../lib/users/user.ts';
import { type Child, element, hidden } from './element.ts';
import { toPortrait } from './portrait.ts';

/** The name opens the user in full. */
export function toPerson(user: User, open: (user: User) => void): HTMLElement {
  const { username, full_name } = user;
  const name = full_name ?? username;
  const attributes = { type: 'button', class: 'name cut', dir: 'auto', title: name, 'aria-haspopup': 'dialog' };
  const button = element('button', attributes, name);
  button.addEventListener('click', () => open(user));
  const names = element('span', { class: 'names' }, button, toCutText(username, 'faint'));
  return element('div', { class: 'person' }, toPortrait(user), names);
}

/** Cut where it is too long for its place, and shown whole where one points at it. */
const toCutText = (text: string, className = ''): HTMLElement =>
  element('bdi', { class: `cut ${className}`, title: text }, text);

export function toContact({ email, is_email_verified, mobile_number }: User): Child[] {
  if (!email && !mobile_number) return [none()];
  const verified = element('span', { class: 'verified', title: 'Verified' }, '✓', hidden('verified'));
  return [
    email && element('span', { class: 'line' }, toCutText(email), is_email_verified && verified),
    mobile_number && element('span', { class: 'line faint' }, toCutText(mobile_number)),
  ];
}

export const toRoles = ({ is_admin, is_staff, is_active }: User): Child[] =>
  withSpaces([
    is_admin && element('span', { class: 'tag admin' }, 'Admin'),
    is_staff && element('span', { class: 'tag' }, 'Staff'),
    !is_active && element('span', { class: 'tag off' }, 'Inactive'),
  ]);

/** Of each user, so that nobody's row is much higher than the others. */
const shownGroups = 3;

export function toGroups({ groups_data }: User): Child[] {
  if (groups_data.length === 0) return [none()];
  const tags = groups_data.slice(0, shownGroups).map(({ id, name }) => {
    return element('span', { class: 'tag group cut', dir: 'auto', title: `Group ${id}: ${name}` }, name);
  });
  const others = groups_data.length - tags.length;
  return withSpaces([...tags, others > 0 && element('span', { class: 'faint' }, `and ${others} more`)]);
}

/** Separate words for screen readers, and for who copies them. */
const withSpaces = (tags: Child[]): Child[] => tags.filter(Boolean).flatMap((tag) => [tag, ' ']);

export const none = (): HTMLElement => element('span', { class: 'faint' }, '–', hidden('none'));

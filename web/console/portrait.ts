import type { User } from '../../lib/users/user.ts';
import { element, hidden } from './element.ts';

/** The picture or the initials, and whether the user is online. */
export const toPortrait = (user: User): HTMLElement =>
  element('span', { class: 'portrait' }, toAvatar(user), toDot(user));

const toDot = ({ is_online }: User): HTMLElement =>
  is_online
    ? element('span', { class: 'dot online', title: 'Online' }, hidden('online'))
    : element('span', { class: 'dot', title: 'Offline' }, hidden('offline'));

/** How many colours the portraits without a picture have: `.hue-0` and so on, in cells.css. */
const hues = 6;

function toAvatar({ id, avatar, full_name, username }: User): HTMLElement {
  const text = toInitials(full_name ?? username);
  const initials = element('span', { class: `avatar hue-${id % hues}`, 'aria-hidden': 'true' }, text);
  if (avatar === null || !isOurs(avatar)) return initials;
  const image = element('img', { class: 'avatar', alt: '', width: 36, height: 36, referrerpolicy: 'no-referrer' });
  image.addEventListener('error', () => image.replaceWith(initials));
  image.src = avatar;
  return image;
}

/** Where pictures are asked for. Any other host would learn by it who looks at whom, and when; the page's policy refuses it, too. */
const origins = [location.origin, document.querySelector<HTMLMetaElement>('meta[name="media-origin"]')?.content];

const isOurs = (avatar: string): boolean => origins.includes(element('a', { href: avatar }).origin);

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

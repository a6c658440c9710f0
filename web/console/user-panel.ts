import type { User } from '../../lib/users/user.ts';
import { none, toRoles } from './cells.ts';
import { byId, type Child, element } from './element.ts';
import { toPortrait } from './portrait.ts';
import { toRequestLine } from './request-line.ts';
import { toTime } from './times.ts';

type Fact = { title: string; toChildren: (user: User) => Child[] };

/** All that the API says of a user, uncut. */
const facts: Fact[] = [
  { title: 'ID', toChildren: ({ id }) => [String(id)] },
  { title: 'Username', toChildren: ({ username }) => [toText(username)] },
  { title: 'First name', toChildren: ({ first_name }) => [toText(first_name)] },
  { title: 'Last name', toChildren: ({ last_name }) => [toText(last_name)] },
  { title: 'E-mail', toChildren: ({ email }) => [toText(email)] },
  { title: 'E-mail verified', toChildren: ({ is_email_verified }) => [toAnswer(is_email_verified)] },
  { title: 'Mobile number', toChildren: ({ mobile_number }) => [toText(mobile_number)] },
  { title: 'Gender', toChildren: ({ gender }) => [toText(gender)] },
  { title: 'Role', toChildren: toRoles },
  { title: 'Active', toChildren: ({ is_active }) => [toAnswer(is_active)] },
  { title: 'Online', toChildren: ({ is_online }) => [toAnswer(is_online)] },
  { title: 'Profile completed', toChildren: ({ is_profile_completed }) => [toAnswer(is_profile_completed)] },
  { title: 'Groups', toChildren: toGroupLines },
  { title: 'Invited by', toChildren: ({ invited_by }) => [invited_by ? toInviter(invited_by) : none()] },
  { title: 'Invite code', toChildren: ({ invite_code }) => [toText(invite_code)] },
  { title: 'Invitees', toChildren: ({ invitees_count }) => [invitees_count.toLocaleString('en')] },
  { title: 'Last login', toChildren: ({ last_login }) => toMoment(last_login) },
  { title: 'Created', toChildren: ({ created_at }) => toMoment(created_at) },
  { title: 'Updated', toChildren: ({ updated_at }) => toMoment(updated_at) },
  { title: 'Avatar', toChildren: ({ avatar }) => [toText(avatar)] },
];

/** Beside the list, a user in full: opened by the name, closed by Escape, its button or a click beside it. */
export function makeUserPanel() {
  const panel = byId('user', HTMLDialogElement);
  panel.addEventListener('click', ({ target }) => {
    if (target === panel) panel.close();
  });
  // Nobody is to be found in the page who is not seen there.
  panel.addEventListener('close', () => panel.replaceChildren());

  return {
    open(user: User): void {
      panel.replaceChildren(toContents(user, () => panel.close()));
      panel.showModal();
    },
    close: (): void => panel.close(),
  };
}

function toContents(user: User, close: () => void): HTMLElement {
  const closeButton = element('button', { type: 'button' }, 'Close');
  closeButton.addEventListener('click', close);
  const title = element('h2', { id: 'user-title' }, element('bdi', {}, user.full_name ?? user.username));
  const rows = facts.map(({ title, toChildren }) =>
    element('div', {}, element('dt', {}, title), element('dd', {}, ...toChildren(user))),
  );
  return element(
    'div',
    { class: 'contents' },
    element('div', { class: 'head' }, toPortrait(user), title, closeButton),
    element('dl', {}, ...rows),
    element('h3', {}, 'As a request'),
    toRequestLine(new URLSearchParams({ id_in: String(user.id) })),
  );
}

const toText = (text: string | null): HTMLElement => (text ? element('bdi', {}, text) : none());

const toAnswer = (isSo: boolean): string => (isSo ? 'Yes' : 'No');

const toInviter = ({ id, username, full_name }: NonNullable<User['invited_by']>): HTMLElement =>
  element('span', {}, element('bdi', {}, full_name ?? username), ` (${username}, ID ${id})`);

function toGroupLines({ groups_data }: User): Child[] {
  if (groups_data.length === 0) return [none()];
  return groups_data.map(({ id, name }) => element('div', {}, element('bdi', {}, name), ` (ID ${id})`));
}

/** As the list has it, and to the microsecond below. */
function toMoment(timestamp: string | null): Child[] {
  if (timestamp === null) return [none()];
  return [toTime(timestamp), element('div', { class: 'faint' }, timestamp)];
}

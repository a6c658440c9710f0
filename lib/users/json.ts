import type { GroupNames, UserRow } from './row.ts';
import type { User } from './user.ts';

type Rows = { rows: UserRow[]; groupNames: GroupNames };

/** `mediaUrl` is the base of avatars' storage paths and ends in a slash. */
export function toUsers({ rows, groupNames }: Rows, { mediaUrl }: { mediaUrl: string }): User[] {
  return rows.map((row) => toUser(row, groupNames, mediaUrl));
}

/** One after the other, for who does not need them all at once. */
export function* eachUser({ rows, groupNames }: Rows, { mediaUrl }: { mediaUrl: string }): Iterable<User> {
  for (const row of rows) yield toUser(row, groupNames, mediaUrl);
}

function toUser(row: UserRow, groupNames: GroupNames, mediaUrl: string): User {
  return {
    id: row.id,
    username: row.username,
    mobile_number: row.mobile_number,
    email: row.email,
    is_email_verified: row.is_email_verified,
    avatar: toAvatarUrl(row.avatar, mediaUrl),
    first_name: row.first_name,
    last_name: row.last_name,
    full_name: toFullName(row.first_name, row.last_name),
    gender: row.gender,
    invited_by: toInvitedBy(row),
    invite_code: row.invite_code,
    invitees_count: row.invitees_count,
    is_active: row.is_active,
    is_staff: row.is_staff,
    is_admin: row.is_admin,
    is_online: row.is_online,
    is_profile_completed: row.is_profile_completed,
    last_login: row.last_login === null ? null : toTimestamp(row.last_login),
    created_at: toTimestamp(row.created_at),
    updated_at: toTimestamp(row.updated_at),
    groups_data: row.group_ids.map((id) => ({ id, name: groupNames[id] ?? '' })),
  };
}

function toFullName(firstName: string | null, lastName: string | null): string | null {
  return `${firstName ?? ''} ${lastName ?? ''}`.trim() || null;
}

function toInvitedBy({
  inviter_id,
  inviter_username,
  inviter_first_name,
  inviter_last_name,
}: UserRow): User['invited_by'] {
  if (inviter_id === null || inviter_username === null) return null;
  return { id: inviter_id, username: inviter_username, full_name: toFullName(inviter_first_name, inviter_last_name) };
}

/** `avatars/2.png` → `https://media.example.com/avatars/2.png`; what is a URL already stays as it is. */
function toAvatarUrl(avatar: string | null, mediaUrl: string): string | null {
  if (!avatar) return null;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(avatar)) return avatar;
  return mediaUrl + avatar.replace(/^\/+/, '').replace(/[^\w.~!*'()/-]+/g, encodeURIComponent);
}

/** What RFC 3339 can say: four digits of a year, and neither eras nor infinities. */
const earliest = '0001-01-01T00:00:00Z';
const latest = '9999-12-31T23:59:59.999999Z';

/** The nearest instant that can be said. */
function toTimestamp(text: string): string {
  // Python's isoformat leaves microseconds out when they are zero, and so do clients expect it.
  if (text.length === latest.length) return text.replace('.000000Z', 'Z');
  return text === '-infinity' || text.endsWith('BC') ? earliest : latest;
}

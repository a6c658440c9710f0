import type { User } from '../../lib/users/user.ts';

/** The groups of the users seen so far, from id to name: the API has no list of groups. */
const names = new Map<string, string>();

/** Whether there are some among them that were not known before. */
export function learnGroups(users: User[]): boolean {
  const known = names.size;
  for (const { id, name } of users.flatMap(({ groups_data }) => groups_data)) names.set(String(id), name);
  return names.size > known;
}

export const forgetGroups = (): void => names.clear();

/** By their names. */
export const knownGroups = (): [id: string, name: string][] =>
  [...names].sort(([, first], [, second]) => first.localeCompare(second));

/** `1, 3` → `1`, `3` */
export const toGroupIds = (list: string): string[] =>
  list
    .split(',')
    .map((id) => id.trim())
    .filter(Boolean);

/** `1,3` → `Support, Content`, as far as they are known. */
export const toGroupNames = (list: string): string =>
  toGroupIds(list)
    .map((id) => names.get(id) ?? id)
    .join(', ');

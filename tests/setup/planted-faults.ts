import type { Finding } from '../../prove/causes.ts';
import type { Alterations, AnyPage } from './altering-proxy.ts';

/** A fault that a proxy plants in an API's answers, and the row of a report that names it. */
type PlantedFault = Alterations & { row: Pick<Finding, 'cause' | 'parameters' | 'field' | 'how'> };

/** Where the parameter is given. */
const where =
  (name: string, alter: (page: AnyPage) => void) =>
  (page: AnyPage, query: URLSearchParams): void => {
    if (query.get(name)) alter(page);
  };

/** Of the new API. Each on a parameter or a field of its own, so that all can be planted at once. */
export const faultsHere: PlantedFault[] = [
  {
    row: { cause: 'count', parameters: ['gender'], how: 'more here' },
    page: where('gender', (page) => (page.count += 1)),
  },
  {
    row: { cause: 'users', parameters: ['created_from'] },
    page: where('created_from', ({ results }) => results.shift()),
  },
  { row: { cause: 'order', parameters: ['ordering'] }, page: where('ordering', ({ results }) => results.reverse()) },
  {
    row: { cause: 'next', parameters: ['has_avatar'], how: 'only there' },
    page: where('has_avatar', (page) => (page.next = null)),
  },
  { row: { cause: 'ignored-here', parameters: ['is_customer'] }, query: (query) => query.delete('is_customer') },
  {
    row: { cause: 'field', parameters: [], field: 'invitees_count', how: 'another' },
    page: ({ results }) => each(results, 4, (user) => (user['invitees_count'] = Number(user['invitees_count']) + 1)),
  },
  {
    row: { cause: 'field', parameters: [], field: 'email', how: 'empty text here, null there' },
    page: ({ results }) => each(results, 1, (user) => (user['email'] ??= '')),
  },
  {
    row: { cause: 'field', parameters: [], field: 'updated_at', how: 'the same time, written otherwise' },
    page: ({ results }) =>
      each(results, 3, (user) => (user['updated_at'] = `${user['updated_at']}`.replace('Z', '+00:00'))),
  },
  {
    row: { cause: 'fault-here', parameters: ['has_token'] },
    instead: (query) => (query.get('has_token') ? { status: 502 } : undefined),
  },
];

/** Of the old one. */
export const faultsThere: PlantedFault[] = [
  {
    row: { cause: 'count', parameters: ['is_staff'], how: 'fewer here' },
    page: where('is_staff', (page) => (page.count += 1)),
  },
  {
    row: { cause: 'next', parameters: ['updated_from'], how: 'leads to others' },
    page: where('updated_from', (page) => (page.next &&= toLaterPage(page.next))),
  },
  {
    row: { cause: 'previous', parameters: ['offset'], how: 'only here' },
    page: where('offset', (page) => (page.previous = null)),
  },
  {
    row: { cause: 'field', parameters: [], field: 'groups_data.name', how: 'another' },
    page: ({ results }) =>
      each(results, 1, (user) => {
        for (const group of user['groups_data'] as { name: string }[]) group.name = group.name.toUpperCase();
      }),
  },
  {
    row: { cause: 'field', parameters: [], field: 'nickname', how: 'only there' },
    page: ({ results }) => each(results, 1, (user) => (user['nickname'] = user['username'])),
  },
];

function each(users: AnyPage['results'], nth: number, alter: (user: AnyPage['results'][number]) => void): void {
  for (const user of users) if (user.id % nth === 0) alter(user);
}

/** A page further than it should. */
function toLaterPage(link: string): string {
  const url = new URL(link);
  url.searchParams.set(
    'offset',
    String(Number(url.searchParams.get('offset')) + Number(url.searchParams.get('limit'))),
  );
  return url.href;
}

/** All of them at once. */
export const plantAll = (faults: PlantedFault[]): Alterations => ({
  query: (query) => faults.forEach((fault) => void fault.query?.(query)),
  page: (page, query) => faults.forEach((fault) => void fault.page?.(page, query)),
  instead: (query) => faults.map((fault) => fault.instead?.(query)).find(Boolean),
});

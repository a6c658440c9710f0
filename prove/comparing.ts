import { type Answer, idsOf, type Page, type User } from './asking.ts';
import type { CauseId } from './causes.ts';

/** One way in which two answers differ. `ids` are of the users that show it. */
export type Difference = {
  kind: 'status' | 'count' | 'users' | 'order' | 'field' | 'next' | 'previous' | 'form' | 'location';
  /** Of a user: `invited_by.username`. */
  field?: string;
  /** `empty text there, null here` */
  how: string;
  ids: number[];
  /** Of the first user that shows it; for reports that may show values. */
  values?: { old: unknown; new: unknown };
};

/** Whether two differences are the same one, whoever shows it. */
export const toDifferenceKey = ({ kind, field = '', how }: Difference): string => `${kind} ${field} ${how}`;

/** `asides` are differences that no client can mind, by their ids in the table of causes. */
export type Comparison = { differences: Difference[]; asides: CauseId[]; fields: number };

/** `oldOrigin` is where the old API was asked: it may build avatars' URLs of it. */
export function compareAnswers(old: Answer, own: Answer, oldOrigin: string): Comparison {
  if (old.status !== own.status) {
    return only({ kind: 'status', how: `${own.status} here, ${old.status} there`, ids: [] });
  }
  if (old.location !== own.location) return only({ kind: 'location', how: 'it leads to another query', ids: [] });
  if (!old.page && !own.page) return { differences: [], asides: [], fields: 0 };
  if (!old.page || !own.page) {
    return only({ kind: 'form', how: `no page of the list ${old.page ? 'here' : 'there'}`, ids: [] });
  }
  return comparePages(old.page, own.page, oldOrigin);
}

const only = (difference: Difference): Comparison => ({ differences: [difference], asides: [], fields: 0 });

function comparePages(old: Page, own: Page, oldOrigin: string): Comparison {
  const differences: Difference[] = [];
  const asides = new Set<CauseId>();
  if (old.count !== own.count) {
    const how = own.count > old.count ? 'more here' : 'fewer here';
    differences.push({ kind: 'count', how, ids: [], values: { old: old.count, new: own.count } });
  }
  differences.push(...compareMembers(idsOf(old), idsOf(own)));
  for (const relation of ['next', 'previous'] as const) {
    if ((old[relation] === null) === (own[relation] === null)) continue;
    differences.push({ kind: relation, how: `only ${old[relation] === null ? 'here' : 'there'}`, ids: [] });
  }
  const byField = new Map<string, Difference>();
  const oldById = new Map(old.results.map((user) => [user['id'], user]));
  let fields = 0;
  for (const user of own.results) {
    const before = oldById.get(user['id']);
    if (!before) continue;
    fields += Object.keys(user).length;
    for (const { field, how, values } of compareValues('', before, user)) {
      if (how === 'only here') asides.add('new-field');
      else if (isOtherHost(field, values, oldOrigin)) asides.add('avatar-host');
      else {
        const difference = byField.get(`${field} ${how}`) ?? { kind: 'field', field, how, ids: [], values };
        difference.ids.push(user['id'] as number);
        byField.set(`${field} ${how}`, difference);
      }
    }
  }
  return { differences: [...differences, ...byField.values()], asides: [...asides], fields };
}

function compareMembers(old: number[], own: number[]): Difference[] {
  const missing = old.filter((id) => !own.includes(id));
  const more = own.filter((id) => !old.includes(id));
  if (missing.length > 0 || more.length > 0) return [{ kind: 'users', how: 'others', ids: [...missing, ...more] }];
  const moved = own.filter((id, index) => id !== old[index]);
  return moved.length > 0 ? [{ kind: 'order', how: 'another', ids: moved }] : [];
}

type ValueDifference = { field: string; how: string; values: { old: unknown; new: unknown } };

function compareValues(field: string, old: unknown, own: unknown): ValueDifference[] {
  const differs = (how: string): ValueDifference[] => [{ field, how, values: { old, new: own } }];
  if (Array.isArray(old) && Array.isArray(own)) {
    if (old.length !== own.length) return differs('longer or shorter');
    return own.flatMap((value, index) => compareValues(field, old[index], value));
  }
  if (isObject(old) && isObject(own)) {
    const names = new Set([...Object.keys(old), ...Object.keys(own)]);
    return [...names].flatMap((name) => {
      const path = field ? `${field}.${name}` : name;
      const values = { old: old[name], new: own[name] };
      if (!Object.hasOwn(old, name)) return [{ field: path, how: 'only here', values }];
      if (!Object.hasOwn(own, name)) return [{ field: path, how: 'only there', values }];
      return compareValues(path, old[name], own[name]);
    });
  }
  return Object.is(old, own) ? [] : differs(toHow(old, own));
}

const isObject = (value: unknown): value is User => value instanceof Object && !Array.isArray(value);

function toHow(old: unknown, own: unknown): string {
  const [there, here] = [old, own].map((value) =>
    value === '' ? 'empty text' : value === null ? 'null' : typeof value,
  );
  if (there !== here) return `${here} here, ${there} there`;
  return toInstant(old) !== undefined && toInstant(old) === toInstant(own)
    ? 'the same time, written otherwise'
    : 'another';
}

/** Microseconds, as text: a JavaScript date holds no more than milliseconds. */
function toInstant(value: unknown): string | undefined {
  const [, seconds, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT[\d:]{8})(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d)$/.exec(`${value}`) ?? [];
  return seconds && `${Date.parse(`${seconds}${zone}`)}.${fraction.padEnd(6, '0')}`;
}

/** Django builds the URL of a file of its own from the host that it was asked by. */
function isOtherHost(field: string, { old, new: own }: ValueDifference['values'], oldOrigin: string): boolean {
  const [before, after] = [URL.parse(`${old}`), URL.parse(`${own}`)];
  return field === 'avatar' && before?.origin === oldOrigin && before.pathname === after?.pathname;
}

import { type Answer, idsOf, type User } from './asking.ts';
import type { Finding } from './causes.ts';
import type { Difference } from './comparing.ts';
import { type Context, isAlike, type Look, look } from './looking.ts';
import type { Side } from './options.ts';
import { namesOf, type Query, textsOf, toShownName, without } from './queries.ts';

/** The first of these that differs is what differs; the others follow from it. */
const byWeight = ['status', 'location', 'form', 'count', 'users', 'order', 'next', 'previous'] as const;

/** Parameters that the original never had; it ignores them as it does all that it does not know. */
const ofThisApi = new Set(['id_in', 'after', 'before', 'last_login_to']);

/** Finds the causes of differences; it remembers them, for a fault that each query shows is looked for no more than `most` times. */
export function toExplainer(context: Context, most = 300) {
  const known = new Map<string, Set<string>>();
  let searches = 0;

  return {
    /** A finding for the query as a whole, and one for each field. */
    async explain(query: Query, seen: Look): Promise<Finding[]> {
      const ofFields = seen.differences.filter(isOfField).map((difference) => toFinding(difference, []));
      const main = byWeight.flatMap((kind) => seen.differences.find((difference) => difference.kind === kind) ?? [])[0];
      return main ? [await explainMain(query, seen, main), ...ofFields] : ofFields;
    },
    /** Of an answer that never came from here. */
    async explainFault(query: Query): Promise<Finding> {
      const name = await findCulprit(query, 'fault');
      return { cause: 'fault-here', parameters: name === undefined ? [] : [toShownName(name)] };
    },
  };

  async function explainMain(query: Query, seen: Look, main: Difference): Promise<Finding> {
    const size = await explainSize(query, seen, main);
    if (size) return size;
    const name = await findCulprit(query, main.kind);
    if (name === undefined) return nameCause(query, seen, main, []);
    const ignored = seen.old.page && seen.own.page ? await findIgnoring(query, name, seen) : [];
    if (ignored.length === 1 && ignored[0] === 'new') return { cause: 'ignored-here', parameters: [toShownName(name)] };
    if (ignored.length === 1 && ofThisApi.has(name)) return { cause: 'ignored-there', parameters: [name] };
    return nameCause(query, seen, main, [name]);
  }

  /** The parameter without which both agree; undefined where they differ whatever is sent. */
  async function findCulprit(query: Query, kind: Difference['kind'] | 'fault'): Promise<string | undefined> {
    const names = namesOf(query);
    const before = known.get(kind) ?? new Set<string>();
    known.set(kind, before);
    if (searches >= most) return names.find((name) => before.has(name));
    searches += 1;
    for (const name of names) {
      const reduced = await look(without(query, [name]), context);
      if ('failed' in reduced || !reduced.differences.every(isOfField)) continue;
      before.add(name);
      return name;
    }
    return undefined;
  }

  /** The sides that answer alike with the parameter and without it, in this query and by itself: once it may be chance. */
  async function findIgnoring(query: Query, name: string, seen: Look): Promise<Side[]> {
    const alone = without(
      query,
      namesOf(query).filter((other) => other !== name),
    );
    const [reduced, single, bare] = [
      await look(without(query, [name]), context),
      await look(alone, context),
      await look(toBare(query), context),
    ];
    if ('failed' in reduced || 'failed' in single || 'failed' in bare) return [];
    const same = (one: Answer, other: Answer) => isAlike(one, other, context.oldOrigin);
    const sides: [Side, boolean][] = [
      ['old', same(seen.old, reduced.old) && same(single.old, bare.old)],
      ['new', same(seen.own, reduced.own) && same(single.own, bare.own)],
    ];
    return sides.flatMap(([side, isIgnored]) => (isIgnored ? side : []));
  }

  /** Pages that are cut off at different sizes. */
  async function explainSize(query: Query, { old, own }: Look, { kind }: Difference): Promise<Finding | undefined> {
    if (kind !== 'users' || !old.page || !own.page || old.page.count !== own.page.count) return undefined;
    const [there, here] = [idsOf(old.page), idsOf(own.page)];
    const size = Math.min(there.length, here.length);
    if (size === 0 || there.slice(0, size).join() !== here.slice(0, size).join()) return undefined;
    const limit = textsOf(query, 'limit')[0];
    if (Number(limit) > 1000 && here.length === 1000) return { cause: 'limit-cap', parameters: ['limit'] };
    if (limit !== undefined) return undefined;
    const bare = await look(toBare(query), context);
    if ('failed' in bare) return undefined;
    const [thereAtMost = 0, hereAtMost = 0] = [bare.old.page?.results.length, bare.own.page?.results.length];
    if (
      thereAtMost === hereAtMost ||
      there.length > thereAtMost ||
      here.length !== Math.min(hereAtMost, own.page.count)
    ) {
      return undefined;
    }
    return { cause: 'page-size', parameters: [], how: `${hereAtMost} here, ${thereAtMost} there` };
  }
}

const isOfField = ({ kind }: Difference): boolean => kind === 'field';

const toBare = (query: Query): Query => ({ ...query, rawQuery: '' });

const toFinding = ({ kind, field, how, ids, values }: Difference, parameters: string[]): Finding => ({
  cause: kind,
  parameters: parameters.map(toShownName),
  ...(field !== undefined && { field }),
  how,
  ids,
  ...(values && { values }),
});

function nameCause(query: Query, { old, own }: Look, main: Difference, parameters: string[]): Finding {
  const [name = ''] = parameters;
  const plain = toFinding(main, parameters);
  if (main.kind === 'status') return { ...plain, cause: toStatusCause(old.status, own.status) };
  if (new Set(textsOf(query, name)).size > 1) return { cause: 'repeated', parameters: plain.parameters };
  if (!old.page || !own.page) return plain;
  if (name === 'search' && own.page.count > old.page.count) return { cause: 'search', parameters: ['search'] };
  if (main.kind !== 'users' && main.kind !== 'order') return plain;
  const keys = textsOf(query, 'ordering')
    .join()
    .split(',')
    .map((key) => key.trim().replace(/^-/, ''))
    .filter(Boolean);
  const [first = ''] = keys;
  const [there, here] = [old.page.results, own.page.results];
  if (keys.length === 0 || there.length !== here.length) return plain;
  if (toValues(there, keys) === toValues(here, keys)) return { cause: 'ties', parameters: ['ordering'], field: first };
  if (there[0]?.[first] === null && here[0]?.[first] !== null)
    return { cause: 'nulls', parameters: ['ordering'], field: first };
  return plain;
}

const toValues = (users: User[], keys: string[]): string =>
  JSON.stringify(users.map((user) => keys.map((key) => user[key])));

/** Who may do what is no matter of taste; other refusals are of the query. */
function toStatusCause(old: number, own: number): 'status' | 'answered-here' | 'other-refusal' {
  if ([old, own].some((status) => status === 401 || status === 403) || old < 400) return 'status';
  return own < 400 ? 'answered-here' : 'other-refusal';
}

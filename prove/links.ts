import { type Asker, idsOf, type Page, toLinked } from './asking.ts';
import type { CauseId } from './causes.ts';
import type { Difference } from './comparing.ts';
import type { Side } from './options.ts';

type Relation = 'next' | 'previous';

/** A walk: two pages on and one back. */
const steps: readonly Relation[] = ['next', 'next', 'previous'];

/**
 * Whether the links of two pages that show the same lead to the same users; their texts may differ in host, page numbers and cursors. Both are
 * followed on a walk, and else where they name different offsets.
 */
export async function compareLinks(
  old: Page,
  own: Page,
  askers: Record<Side, Asker>,
  { isWalked }: { isWalked: boolean },
): Promise<{ differences: Difference[]; asides: CauseId[] }> {
  const asides = new Set<CauseId>();
  const differences: Difference[] = [];
  for (const relation of ['next', 'previous'] as const) {
    const [before, after] = [old[relation], own[relation]];
    if (before === null || after === null) continue;
    if (URL.parse(before)?.host !== URL.parse(after)?.host) asides.add('link-host');
    if (/[?&](after|before)=/.test(after)) asides.add('cursors');
    if (relation === 'previous' && own.results.length === 0) {
      asides.add('past-the-end');
      continue;
    }
    const offsets = [toOffset(before, old.results.length), toOffset(after, own.results.length)];
    if (offsets.includes(undefined) || offsets[0] === offsets[1]) continue;
    const led = await follow(relation, old, own, askers);
    if (led && 'kind' in led) differences.push(led);
  }
  if (isWalked && differences.length === 0) differences.push(...(await walk(old, own, askers)));
  return { differences, asides: [...asides] };
}

async function walk(old: Page, own: Page, askers: Record<Side, Asker>): Promise<Difference[]> {
  let pages: [Page, Page] = [old, own];
  for (const relation of steps) {
    const led = await follow(relation, ...pages, askers);
    if (!led) break;
    if ('kind' in led) return [led];
    pages = led;
  }
  return [];
}

/** The pages that the links lead to; the difference where they show others; undefined where there is no page to compare. */
async function follow(
  relation: Relation,
  old: Page,
  own: Page,
  askers: Record<Side, Asker>,
): Promise<[Page, Page] | Difference | undefined> {
  const [before, after] = [old[relation], own[relation]];
  if (before === null && after === null) return undefined;
  if (before === null || after === null) {
    return { kind: relation, how: `ends ${after === null ? 'here' : 'there'} on a walk`, ids: [] };
  }
  const [there, here] = [await askers.old.ask(toLinked(before)), await askers.new.ask(toLinked(after))];
  if ('fault' in there || 'fault' in here) return undefined;
  if (!there.page || !here.page) return { kind: relation, how: `${here.status} here, ${there.status} there`, ids: [] };
  const [ids, ownIds] = [idsOf(there.page), idsOf(here.page)];
  if (ids.join() === ownIds.join()) return [there.page, here.page];
  return { kind: relation, how: 'leads to others', ids: ownIds.filter((id, index) => id !== ids[index]) };
}

/** Where a link leads by its text; undefined where that says nothing, as DRF's cursors. */
function toOffset(link: string, pageSize: number): number | undefined {
  const query = new URLSearchParams(link.split('?')[1]);
  if (query.has('cursor')) return undefined;
  const page = query.get('page');
  return page === null ? Number(query.get('offset') ?? 0) : (Number(page) - 1) * pageSize;
}

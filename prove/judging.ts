import { parameters } from '../lib/users/query.ts';
import { type Answer, idsOf } from './asking.ts';
import type { CauseId, Finding } from './causes.ts';
import { toExplainer } from './explaining.ts';
import { type Context, isAlike, type Look, lookUntilSure } from './looking.ts';
import { type Query, textsOf, toShownName, without } from './queries.ts';

/** What became of a query. */
export type Outcome = {
  findings: Finding[];
  asides: CauseId[];
  /** Of both pages: compared. */
  users: number;
  fields: number;
};

/** Judges queries: asks both sides, asks again where they differ, and says why they do. */
export function toJudge(context: Context) {
  const { explain, explainFault } = toExplainer(context);

  return async function judge(query: Query, { isWalked }: { isWalked: boolean }): Promise<Outcome> {
    const seen = await lookUntilSure(query, context, { isWalked });
    if ('failed' in seen) {
      if (seen.failed.length > 1) return { ...nothing, asides: ['fault-both'] };
      if (seen.failed[0] === 'old') return { ...nothing, asides: ['fault-there'] };
      return { ...nothing, findings: [await explainFault(query)] };
    }
    const compared = { users: seen.own.page?.results.length ?? 0, fields: seen.fields };
    if (seen.differences.length === 0) return { findings: [], asides: seen.asides, ...compared };
    // Only an answer to GET says what was refused.
    if (query.method === 'HEAD') return judge({ ...query, method: 'GET' }, { isWalked: false });
    const { errors } = seen.own;
    if (errors && seen.old.status === 200) return judgeRefused(query, seen, Object.keys(errors));
    return { findings: await explain(query, seen), asides: seen.asides, ...compared };
  };

  /** Each parameter that is refused here; and the query without them, which must give the same on both sides. */
  async function judgeRefused(query: Query, { old }: Look, refused: string[]): Promise<Outcome> {
    const findings: Finding[] = [];
    for (const name of refused) findings.push(await toRefusal(query, name, old));
    const numbers = findings.filter(
      ({ cause, parameters: [name = ''] }) => cause === 'unknown-honoured' && isPageNumber(name),
    );
    if (numbers.length > 0 && (await isPageNumbers(query, old, refused))) {
      for (const finding of numbers) finding.cause = 'page-numbers';
    }
    const rest = without(query, refused);
    const seen = await lookUntilSure(rest, context);
    if ('failed' in seen) return { ...nothing, findings };
    const compared = { users: seen.own.page?.results.length ?? 0, fields: seen.fields };
    // Where the rest is refused too it is no query of the list, and no more is to be said of it.
    const ofRest = seen.own.errors ? [] : await explain(rest, seen);
    return { findings: [...findings, ...ofRest], asides: seen.asides, ...compared };
  }

  async function toRefusal(query: Query, name: string, old: Answer): Promise<Finding> {
    const reduced = await context.askers.old.ask(without(query, [name]));
    const isIgnored = 'fault' in reduced || isAlike(old, reduced, context.oldOrigin);
    const what = Object.hasOwn(parameters, name) ? 'value' : 'unknown';
    return { cause: `${what}-${isIgnored ? 'ignored' : 'honoured'}`, parameters: [toShownName(name)] };
  }

  /** Whether the query gives the same users here with limit and offset in place of page numbers. */
  async function isPageNumbers(query: Query, { page }: Answer, refused: string[]): Promise<boolean> {
    const number = Number(textsOf(query, 'page').at(-1) ?? 1);
    if (!page || !(number >= 1)) return false;
    const { count, next, results } = page;
    // The last page may be shorter than the others.
    const size = next || number === 1 ? results.length : (count - results.length) / (number - 1);
    const rest = without(query, refused);
    const rawQuery = [rest.rawQuery, `limit=${size}`, `offset=${size * (number - 1)}`].filter(Boolean).join('&');
    const answer = await context.askers.new.ask({ ...rest, rawQuery });
    return !('fault' in answer) && answer.page?.count === count && idsOf(answer.page).join() === idsOf(page).join();
  }
}

/** Of DRF's PageNumberPagination. */
const isPageNumber = (name: string): boolean => name === 'page' || name === 'page_size';

const nothing: Outcome = { findings: [], asides: [], users: 0, fields: 0 };

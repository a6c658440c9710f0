import { sql } from 'kysely';
import { Malformed, text } from '../kinds.ts';
import type { Parameter } from '../parameters.ts';
import type { Condition } from './filters.ts';

const maxTerms = 10;
const searchText = text({ maxLength: 200, example: 'kevin arsenal' });

/** `isIndexed`: the trigram index finds whom it lists. They are all listed users then, for nobody else has a `search_text`. */
export type Search = { hasEvery: Condition; isIndexed: boolean };

export const search: Parameter<Search> = {
  alsoCalled: ['q', 'query', 'term'],
  doc:
    'Every term must occur in one of `id`, `username`, `mobile_number`, `email`, `first_name`, `last_name`. Terms are separated by white space ' +
    'or commas; double quotes keep a phrase together. Letter case, accents, forms of letters and digits (`soren` finds `Søren`) and of ' +
    'apostrophes, hyphens and quotes do not matter.',
  ...searchText,
  read(given) {
    const terms = readTerms(searchText.read(given));
    return { hasEvery: hasEvery(terms), isIndexed: terms.some(isIndexed) };
  },
};

/** What opens and closes a phrase besides the plain quote, which `search_fold` makes of each of them. */
const quotes = /[“”„‟«»〝〞＂\u05f4]/g;

/** `ali "van dyk"` → ali, van dyk. A quote that opens no phrase is a character like any other. */
export function readTerms(given: string): string[] {
  const terms = [...given.replace(quotes, '"').matchAll(/"([^"]*)"|[^\s\p{White_Space},]+/gu)]
    .map(([term, phrase]) => phrase ?? term)
    .filter((term) => term !== '');
  if (terms.length > maxTerms) throw new Malformed(`Expected at most ${maxTerms} terms; these are ${terms.length}.`);
  const empty = terms.findIndex((term) => decompose(term) === '');
  if (empty >= 0) {
    throw new Malformed(
      `Term ${empty + 1} of ${terms.length}: expected letters, digits or signs; it has only accents and joiners.`,
    );
  }
  return terms;
}

function hasEvery(terms: string[]): Condition {
  return (eb) => eb.and(terms.map((term) => (isIndexed(term) ? like(term) : contains(term))));
}

const like = (term: string) => sql<boolean>`users.search_text like search_pattern(${term}::text)`;

// LIKE would read the whole trigram index for a term without a trigram.
const contains = (term: string) =>
  sql<boolean>`strpos(coalesce(users.search_text, ''), search_fold(${term}::text)) > 0`;

/** Whether the term has a trigram: three letters or digits in a row. Not those letters that `search_fold` makes apostrophes. */
const isIndexed = (term: string): boolean => /[[\p{L}\p{N}]--[ʹʻ-ʿˈꞋꞌ]]{3}/v.test(decompose(term));

/** The part of the database's `search_fold` that removes characters; it alone folds for comparison. */
const decompose = (term: string): string => term.normalize('NFKD').replace(ignorable, '');

/** Combining marks, joiners, direction marks, tatweel and variation selectors: the class that `search_fold` removes. */
const ignorable =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: the marks are meant as characters of their own
  /[\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\u{e0100}-\u{e01ef}]/gu;

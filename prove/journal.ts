import { createHmac } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Outcome } from './judging.ts';
import type { Options } from './options.ts';
import { ProveError } from './prove-error.ts';
import type { Query } from './queries.ts';

/** What was proved, a line a query, so that a run that was stopped goes on where it was. */
export type Journal = {
  /** Undefined where the query is still to be judged. */
  find: (query: Query) => Outcome | undefined;
  add: (query: Query, outcome: Outcome) => void;
};

/**
 * Opens `<out>.jsonl`, which only its owner may read. A query stands in it by its HMAC under the tokens: a plain hash of a phone number is found by
 * trying all. Throws a ProveError where it is of other APIs or other tokens.
 */
export function openJournal({ out, bases, authorizations, again, showValues }: Options): Journal {
  const file = `${out}.jsonl`;
  const secret = `${authorizations.old} ${authorizations.new}`;
  const hash = (text: string) => createHmac('sha256', secret).update(text).digest('base64url').slice(0, 22);
  const head = JSON.stringify({ ...bases, showValues, tokens: hash('tokens') });
  const lines = again || !existsSync(file) ? [] : readFileSync(file, 'utf8').split('\n');
  if (lines.length === 0) writeFileSync(file, `${head}\n`, { mode: 0o600 });
  else if (lines[0] !== head) {
    throw new ProveError(`${file} is of other URLs, tokens or options. Give another --out, or --again to begin anew.`);
  }
  const outcomes = new Map(lines.slice(1).flatMap(readOutcome));
  const toKey = ({ method, hasSlash, rawQuery }: Query) => hash(JSON.stringify([method, hasSlash, rawQuery]));
  return {
    find: (query) => outcomes.get(toKey(query)),
    add(query, outcome) {
      const key = toKey(query);
      outcomes.set(key, outcome);
      appendFileSync(file, `${JSON.stringify({ key, ...outcome })}\n`);
    },
  };
}

/** A line that was cut off when the run was killed is one not written. */
function readOutcome(line: string): [key: string, outcome: Outcome][] {
  try {
    const { key, ...outcome } = JSON.parse(line) as { key: string } & Outcome;
    return [[key, outcome]];
  } catch {
    return [];
  }
}

import { createReadStream, writeFileSync } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type LogEntry, type NoEntry, readLog } from './access-log.ts';
import { toAsker } from './asking.ts';
import { toHtml } from './html.ts';
import { openJournal } from './journal.ts';
import { toJudge } from './judging.ts';
import type { Options, Side } from './options.ts';
import { ProveError } from './prove-error.ts';
import { collectQueries, type Query } from './queries.ts';
import { type Report, toReport } from './report.ts';

/** What the caller is told while it runs, and by which it is stopped. `pauseMs` is of the asker. */
export type Watching = { onProgress?: (done: number, of: number) => void; signal?: AbortSignal; pauseMs?: number };

/**
 * Proves what the logs have, and writes the report beside the journal. Throws a ProveError where it cannot begin: no log, no request of the list,
 * an API that does not answer to its token.
 */
export async function prove(options: Options, { onProgress, signal, pauseMs }: Watching = {}): Promise<Report> {
  const start = performance.now();
  const { queries: all, lines } = await collectQueries(readLogs(options.logs), options.path);
  if (all.length === 0) {
    throw new ProveError(`No request of ${options.path} is in the log: ${JSON.stringify(lines)}.`);
  }
  const queries = all.slice(0, options.most);
  const askers = { old: toAsker('old', options, pauseMs), new: toAsker('new', options, pauseMs) };
  const sides: Side[] = ['old', 'new'];
  for (const side of sides) await requireAnswer(side, askers[side]);

  const journal = openJournal(options);
  const judge = toJudge({ askers, oldOrigin: new URL(options.bases.old).origin });
  const { isWalked } = toWalks(queries, options.walks);
  let done = 0;
  const waiting = queries.values();
  const work = async () => {
    for (const query of waiting) {
      if (signal?.aborted) return;
      if (!journal.find(query))
        journal.add(query, withoutValues(await judge(query, { isWalked: isWalked(query) }), options));
      done += 1;
      onProgress?.(done, queries.length);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));

  const judged = queries.flatMap((query) => {
    const outcome = journal.find(query);
    return outcome ? [{ query, outcome }] : [];
  });
  const facts = {
    lines,
    asked: { old: askers.old.tally, new: askers.new.tally },
    seconds: (performance.now() - start) / 1000,
  };
  const report = toReport(judged, queries.length, facts, options);
  // With values it is personal data.
  writeFileSync(`${options.out}.json`, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  writeFileSync(`${options.out}.html`, toHtml(report), { mode: 0o600 });
  return report;
}

/** Those first that are sent most; HEAD and redirects have no links. */
function toWalks(queries: Query[], walks: number): { isWalked: (query: Query) => boolean } {
  const walked = new Set(queries.filter(({ method, hasSlash }) => method === 'GET' && hasSlash).slice(0, walks));
  return { isWalked: (query) => walked.has(query) };
}

/** Else each query would be told apart from nothing. */
async function requireAnswer(side: Side, { ask }: ReturnType<typeof toAsker>): Promise<void> {
  const answer = await ask({ method: 'GET', hasSlash: true, rawQuery: 'limit=1' });
  if ('fault' in answer) throw new ProveError(`The ${side} API does not answer ?limit=1: ${answer.fault}.`);
  if (answer.page) return;
  const hint =
    answer.status === 401 || answer.status === 403
      ? ` ${side.toUpperCase()}_TOKEN must be of somebody who may list.`
      : '';
  throw new ProveError(`The ${side} API answers ?limit=1 with ${answer.status}, and no page.${hint}`);
}

function withoutValues<Judged extends { findings: { values?: unknown }[] }>(
  outcome: Judged,
  { showValues }: Options,
): Judged {
  if (!showValues) for (const finding of outcome.findings) delete finding.values;
  return outcome;
}

async function* readLogs(files: string[]): AsyncGenerator<LogEntry | NoEntry> {
  for (const file of files) {
    const raw = file === '-' ? process.stdin : createReadStream(file);
    // Errors of the file end the stream that is read, and come out there.
    const input = file.endsWith('.gz') ? pipeline(raw, createGunzip(), () => {}) : raw;
    try {
      // Each file is read by itself, for one may say what its columns are.
      yield* readLog(linesOf(input));
    } catch (error) {
      throw new ProveError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'not a gzip file'}.`);
    }
  }
}

async function* linesOf(input: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of input.setEncoding('utf8')) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

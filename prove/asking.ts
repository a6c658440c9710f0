import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Options, Side } from './options.ts';
import type { Query } from './queries.ts';

export type User = Record<string, unknown>;
export type Page = { count: number; next: string | null; previous: string | null; results: User[] };

export type Answer = {
  status: number;
  /** Of a 200 to GET that is the list's. */
  page?: Page;
  /** Of a problem, by parameter. */
  errors?: Record<string, string[]>;
  /** Of a redirect: its query. */
  location?: string;
};

/** How an API failed to answer, at the last attempt too. */
export type Fault = { fault: 'timeout' | 'unreachable' | '429' | '5xx' };

/** What was sent to a side, and what of it came to nothing; attempts, not queries. */
export type AskTally = { sent: number; timeouts: number; unreachable: number; tooMany: number; serverErrors: number };

/** Asks one side, GET and HEAD alone. */
export type Asker = {
  ask: (query: Pick<Query, 'method' | 'hasSlash' | 'rawQuery'>) => Promise<Answer | Fault>;
  tally: AskTally;
};

const attempts = 3;

/** At the rate and concurrency of the options, whoever asks; `pauseMs` is the first of the pauses that an API is given after a fault. */
export function toAsker(side: Side, options: Options, pauseMs = 1000): Asker {
  const { rate, concurrency, timeoutMs, path } = options;
  const queue = new PQueue({ concurrency, interval: 1000, intervalCap: rate, strict: true });
  const tally: AskTally = { sent: 0, timeouts: 0, unreachable: 0, tooMany: 0, serverErrors: 0 };
  const headers = {
    Accept: 'application/json',
    Authorization: options.authorizations[side],
    'User-Agent': 'users-api-prove',
  };

  return {
    tally,
    async ask({ method, hasSlash, rawQuery }) {
      const url = `${options.bases[side]}${hasSlash ? path : path.slice(0, -1)}${rawQuery && `?${rawQuery}`}`;
      for (let attempt = 1; ; attempt += 1) {
        const answer = await queue.add(() => send(method, url));
        if (!('fault' in answer) || attempt === attempts) return answer;
        const { retryAfterMs = pauseMs * 2 ** (attempt - 1) } = answer;
        // Others wait as well: who is asked too much, or is down, is not asked more.
        if (answer.fault === '429') queue.pause();
        await sleep(retryAfterMs);
        queue.start();
      }
    },
  };

  async function send(method: string, url: string): Promise<Answer | (Fault & { retryAfterMs?: number })> {
    tally.sent += 1;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(url, { method, headers, redirect: 'manual', signal });
      const body = await response.text();
      return readAnswer(method, response, body);
    } catch (error) {
      const isTimeout = (error as Error).name === 'TimeoutError';
      tally[isTimeout ? 'timeouts' : 'unreachable'] += 1;
      return { fault: isTimeout ? 'timeout' : 'unreachable' };
    }
  }

  function readAnswer(method: string, { status, headers }: Response, body: string) {
    if (status === 429 || status >= 500) {
      tally[status === 429 ? 'tooMany' : 'serverErrors'] += 1;
      const seconds = Number(headers.get('retry-after') ?? Number.NaN);
      const fault: Fault['fault'] = status === 429 ? '429' : '5xx';
      return seconds >= 0 && seconds <= 60 ? { fault, retryAfterMs: seconds * 1000 } : { fault };
    }
    const json = method === 'GET' ? parse(body) : undefined;
    const location = headers.get('location');
    return {
      status,
      ...(status === 200 && isPage(json) && { page: json }),
      ...(status === 400 && isRecord(json?.['errors']) && { errors: json['errors'] as Record<string, string[]> }),
      ...(location !== null && { location: location.split('?')[1] ?? '' }),
    };
  }
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => value instanceof Object && !Array.isArray(value);

const isPage = (json: unknown): json is Page =>
  isRecord(json) &&
  typeof json['count'] === 'number' &&
  Array.isArray(json['results']) &&
  json['results'].every(isRecord);

/** In the order of the page. */
export const idsOf = ({ results }: Page): number[] => results.map(({ id }) => id as number);

/** The request that a link of an answer leads to. Its host is left out, so that no token goes where nobody has sent it. */
export const toLinked = (link: string): Pick<Query, 'method' | 'hasSlash' | 'rawQuery'> => ({
  method: 'GET',
  hasSlash: true,
  rawQuery: link.split('?').slice(1).join('?'),
});

import { equal } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { benchKey } from './datasets.ts';
import { met, toTable } from './markdown.ts';
import { median } from './measure.ts';
import { readPeerVersions, type Server, startOurs, startPeer } from './servers.ts';

/** One request, answered by both. Requests per second by connections; `ratio` is the median of the rounds', not the quotient of the medians. */
export type Beside = { listed: number; query: string; count: number; loads: Load[] };
type Load = { connections: number; peer: number; ours: number; ratio: number };

const queries = [
  '',
  'limit=100',
  'search=ali',
  'gender=other&groups_in=4,5&is_active=false&created_from=2025-01-01',
  'gender=female&groups_in=4,5&is_active=true&created_from=2024-06-01',
  'ordering=-last_login',
];

/** How many times the peer's requests per second. Where nobody matches the peer spares itself the page's statement. */
const toGoal = ({ listed, count }: Beside): number => (listed > 2000 || count === 0 ? 5 : 10);

/** Databases with the same rows. */
export type Pair = { listed: number; oursUrl: string; peerUrl: string };

/** Both behind HTTP, by turns; what they answer is compared before it is timed. */
export async function measureBeside(pairs: Pair[], rounds: number, seconds: number): Promise<Beside[]> {
  const results: Beside[] = [];
  for (const pair of pairs) results.push(...(await measurePair(pair, rounds, seconds)));
  return results;
}

async function measurePair({ listed, oursUrl, peerUrl }: Pair, rounds: number, seconds: number): Promise<Beside[]> {
  const peer = await startPeer(peerUrl);
  const ours = await startOurs(oursUrl);
  const results: (Beside & { samples: Record<number, Omit<Load, 'connections'>[]> })[] = [];
  for (const query of queries) {
    const count = await requireSameAnswers(query, peer, ours);
    results.push({ listed, query, count, loads: [], samples: { 1: [], 8: [] } });
  }
  for (const { query } of results) await takeTurns(query, peer, ours, 8, 1); // both warm
  for (let round = 0; round < rounds; round += 1) {
    for (const { query, samples } of results) {
      for (const connections of [1, 8]) {
        samples[connections]?.push(await takeTurns(query, peer, ours, connections, seconds));
      }
    }
  }
  await Promise.all([peer.stop(), ours.stop()]);
  return results.map(({ samples, ...result }) => ({
    ...result,
    loads: Object.entries(samples).map(([connections, all]) => ({
      connections: Number(connections),
      peer: median(all.map(({ peer }) => peer)),
      ours: median(all.map(({ ours }) => ours)),
      ratio: median(all.map(({ ratio }) => ratio)),
    })),
  }));
}

/** Throws where one says another count than the other, or shows other users or anything of them otherwise. Returns the count. */
async function requireSameAnswers(query: string, peer: Server, ours: Server): Promise<number> {
  const [theirs, own] = await Promise.all([ask(peer, query), ask(ours, query)]);
  equal(toComparable(query, own), toComparable(query, theirs));
  return own.count;
}

type Answer = { count: number; next: string | null; previous: string | null; results: unknown[] };

/** Links are compared by whether there is one: ours lead to the next page by a cursor, DRF's by an offset. */
const toComparable = (query: string, { count, next, previous, results }: Answer): string =>
  JSON.stringify({ query, count, hasNext: next !== null, hasPrevious: previous !== null, results }, null, 1);

const toUrl = ({ url }: Server, query: string): string => `${url}/api/users/${query && `?${query}`}`;

async function ask(server: Server, query: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get(toUrl(server, query), { headers: { authorization: `Token ${benchKey}` } }, (response) =>
    text(response).then(resolve, reject),
  ).on('error', reject);
  const body = await promise;
  try {
    return JSON.parse(body) as Answer;
  } catch {
    throw new Error(`?${query} is answered by: ${body}`);
  }
}

async function takeTurns(query: string, peer: Server, ours: Server, connections: number, seconds: number) {
  const theirs = await load(toUrl(peer, query), connections, seconds);
  const own = await load(toUrl(ours, query), connections, seconds);
  return { peer: theirs, ours: own, ratio: own / theirs };
}

/** Requests per second, by wrk. */
async function load(url: string, connections: number, seconds: number): Promise<number> {
  const options = [`-t${Math.min(2, connections)}`, `-c${connections}`, `-d${seconds}s`];
  const { stdout } = await promisify(execFile)('wrk', [...options, '-H', `Authorization: Token ${benchKey}`, url]);
  const [, perSecond] = /Requests\/sec: +([\d.]+)/.exec(stdout) ?? [];
  // An answer of another kind would be measured as a fast one.
  if (!perSecond || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk ${url}: ${stdout}`);
  return Number(perSecond);
}

export const toSkipped = (missing: string[]): string =>
  `Skipped: the peer cannot be run without ${missing.join(', ')}; on Debian: \`apt-get install ${missing.join(' ')}\`.`;

export function toBesideText(missing: string[], beside: Beside[]): string {
  if (missing.length > 0) return toSkipped(missing);
  const tables = [...Map.groupBy(beside, ({ listed }) => listed)].map(
    ([listed, results]) => `### ${listed.toLocaleString('en')} listed\n\n${toBesideTable(results)}`,
  );
  return [
    `Requests per second of the Django project in bench/peer/ and of the function, two workers each, behind HTTP under wrk, at 1 and at 8 connections; ${readPeerVersions()}. They answered alike, but for the links to the pages beside.`,
    ...tables,
  ].join('\n\n');
}

/** What the README shows: how many times the peer's requests per second, at 1 and at 8 connections. */
export function toBesideSummary(beside: Beside[]): string {
  const sizes = [...new Set(beside.map(({ listed }) => listed))];
  const cell = (result: Beside | undefined): string => {
    const [one, eight] = result?.loads ?? [];
    if (!one || !eight) return '';
    return `${one.ratio.toFixed(1)} / ${eight.ratio.toFixed(1)} (${one.ours.toFixed(0)} / ${eight.ours.toFixed(0)} a second)`;
  };
  return toTable(
    ['request', ...sizes.map((listed) => `${listed.toLocaleString('en')} listed`)],
    queries.map((query) => [
      query ? `\`${query}\`` : 'default page',
      ...sizes.map((listed) => cell(beside.find((result) => result.listed === listed && result.query === query))),
    ]),
  );
}

function toBesideTable(beside: Beside[]): string {
  const heads = [1, 8].flatMap((connections) => [`DRF at ${connections}`, `the function at ${connections}`, 'ratio']);
  return toTable(
    ['request', 'match', ...heads, 'goal', ''],
    beside.map((result) => [
      result.query ? `\`${result.query}\`` : 'default page',
      String(result.count),
      ...result.loads.flatMap(({ peer, ours, ratio }) => [peer.toFixed(0), ours.toFixed(0), ratio.toFixed(1)]),
      `≥ ${toGoal(result)}`,
      met(result.loads.every(({ ratio }) => ratio >= toGoal(result))),
    ]),
  );
}

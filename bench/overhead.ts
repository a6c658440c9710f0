import { met, ms, ratio, toTable } from './markdown.ts';
import { measure, median, runsWithin, type Times, toMedianTimes } from './measure.ts';
import { toBars } from './plot.ts';
import { openDriver, openHandler, warmUp } from './subject.ts';

const kinds: Record<string, { query: string; acceptEncoding?: string; goals: Goals }> = {
  'default page': { query: '', goals: { driver: 1.25, raw: 1.35 } },
  'limit=100': { query: 'limit=100', goals: { driver: 1.25, raw: 1.35 } },
  'limit=1000': { query: 'limit=1000', goals: { driver: 1.4, raw: 1.4 } },
  'limit=1000, gzip': { query: 'limit=1000', acceptEncoding: 'gzip', goals: { driver: 1.4 } },
  'a filter': { query: 'is_active=false', goals: { driver: 1.25, raw: 1.35 } },
  'a search': { query: 'search=user00012', goals: { driver: 1.25, raw: 1.35 } },
  'two sort keys': { query: 'ordering=gender,-created_at', goals: { driver: 1.25, raw: 1.35 } },
};

/** The driver as the function uses it, and one that parses nothing. */
type Yardstick = 'driver' | 'raw';
type Contestant = 'handler' | Yardstick;
type Goals = { driver: number; raw?: number };

export type Overhead = {
  kind: string;
  times: Record<Contestant, Times>;
  ratios: Record<Yardstick, number>;
  goals: Goals;
};

/**
 * The function against the driver alone with the same statements, on one data set. Figures are medians of rounds, each with an instance and
 * connections of its own: of two server processes that run the same statement one may be half as fast again as the other, all its life.
 */
export async function measureOverhead(
  databaseUrl: string,
  rounds: number,
  millisecondsEach: number,
): Promise<Overhead[]> {
  const results = Object.entries(kinds).map(([kind, { query, acceptEncoding, goals }]) => ({
    kind,
    query,
    acceptEncoding,
    goals,
    rounds: [] as Record<Contestant, Times>[],
  }));
  for (let round = 0; round < rounds; round += 1) {
    const handler = await openHandler(databaseUrl);
    const driver = await openDriver(databaseUrl);
    const raw = await openDriver(databaseUrl, { raw: true });
    // All the same: what a server process has done before is in its memory, and tells in what it does next.
    await warmUp(() => handler(''));
    for (const { run } of [driver, raw]) await warmUp(run(''));
    for (const { query, acceptEncoding, rounds } of results) {
      const contestants = {
        handler: () => handler(query, acceptEncoding),
        driver: driver.run(query),
        raw: raw.run(query),
      };
      const { counted } = await runsWithin(millisecondsEach, contestants.handler);
      rounds.push(await measure(contestants, { warmUp: counted, counted }));
    }
    for (const { end } of [driver, raw]) await end();
  }
  return results.map(({ kind, goals, rounds }) => {
    const timesOf = (name: Contestant) => toMedianTimes(rounds.map((times) => times[name]));
    const ratioTo = (name: Yardstick) => median(rounds.map((times) => times.handler.p50 / times[name].p50));
    return {
      kind,
      goals,
      times: { handler: timesOf('handler'), driver: timesOf('driver'), raw: timesOf('raw') },
      ratios: { driver: ratioTo('driver'), raw: ratioTo('raw') },
    };
  });
}

export function toOverheadTable(overhead: Overhead[]): string {
  const heads = ['driver', 'driver that parses nothing'].flatMap((name) => [`${name} p50`, 'ratio', 'goal', '']);
  return toTable(
    ['request', 'function p50', 'p99', ...heads],
    overhead.map(({ kind, times, ratios, goals }) => [
      kind,
      ms(times.handler.p50),
      ms(times.handler.p99),
      ...(['driver', 'raw'] as const).flatMap((name) => [
        ms(times[name].p50),
        ratio(ratios[name]),
        ...toVerdict(ratios[name], goals[name]),
      ]),
    ]),
  );
}

const toVerdict = (times: number, goal: number | undefined): [goal: string, verdict: string] =>
  goal === undefined ? ['', ''] : [`≤ ${goal}`, met(times <= goal)];

export const toOverheadPlot = (overhead: Overhead[]): string =>
  toBars(
    'p50, ms: the function and the driver alone',
    overhead.map(({ kind, times: { handler, driver, raw } }) => ({
      label: kind,
      values: { 'parses nothing': raw.p50, driver: driver.p50, function: handler.p50 },
    })),
  );

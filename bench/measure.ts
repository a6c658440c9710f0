/** Milliseconds. */
export type Times = { p50: number; p99: number };

export function toTimes(samples: number[]): Times {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

export const median = (numbers: number[]): number => toTimes(numbers).p50;

/** Of several measurements of the same. */
export const toMedianTimes = (times: Times[]): Times => ({
  p50: median(times.map(({ p50 }) => p50)),
  p99: median(times.map(({ p99 }) => p99)),
});

type Runs = { warmUp: number; counted: number };

/** Times each run of each contestant, A B C A B C …, so that a machine that slows down slows all of them. */
export async function measure<Name extends string>(
  contestants: Record<Name, () => Promise<unknown>>,
  { warmUp, counted }: Runs,
): Promise<Record<Name, Times>> {
  const names = Object.keys(contestants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -warmUp; round < counted; round += 1) {
    for (const name of names) {
      const start = performance.now();
      await contestants[name]();
      if (round >= 0) samples[name].push(performance.now() - start);
    }
  }
  return Object.fromEntries(names.map((name) => [name, toTimes(samples[name])])) as Record<Name, Times>;
}

/** As many runs as fit into the time, by what one run takes; at least three. */
export async function runsWithin(milliseconds: number, run: () => Promise<unknown>): Promise<Runs> {
  await run();
  const start = performance.now();
  await run();
  const once = Math.max(performance.now() - start, 0.1);
  const counted = Math.min(2000, Math.max(3, Math.floor(milliseconds / once)));
  return { warmUp: Math.ceil(counted / 10), counted };
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import type { ColdStart } from './cold-start.ts';
import type { Compression } from './compression.ts';
import { datasets } from './datasets.ts';
import type { Depth, Growth } from './growth.ts';
import type { Overhead } from './overhead.ts';
import { toBars, toLines } from './plot.ts';
import type { Memory, Throughput } from './throughput.ts';
import type { Worst } from './worst.ts';

export type Results = {
  server: string;
  overhead: Overhead[];
  growth: Growth[];
  depth: Depth[] | undefined;
  worst: Worst | undefined;
  bundleBytes: number;
  coldStart: ColdStart[];
  throughput: Throughput[];
  compression: Compression;
  memory: Memory;
};

const ms = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(value < 10 ? 2 : 1));
const ratio = (value: number): string => value.toFixed(2);
const met = (isMet: boolean): string => (isMet ? 'met' : '**not met**');

function toTable(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Writes the report and its plots into the folder; every figure and verdict comes from the results. */
export function writeReport(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  const sections = [
    '# Benchmark',
    `${cpus().length} × ${cpus()[0]?.model.trim()}, ${arch()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}; Node.js ${process.version}; ${results.server}, on the same machine. Milliseconds, p50 unless said. \`npm run bench\` makes this page.`,
    `## Overhead: the function against the bare driver\n\n![overhead](overhead.svg)\n\n${toOverheadTable(results.overhead)}`,
    `## Growth\n\n![growth](growth.svg)\n\n${toGoalsOfGrowth(results.growth)}\n\n${toGrowthTable(results.growth)}`,
    `## The count\n\nOf all who are listed, alone, by the index; it is part of each request above.\n\n${toCountTable(results.growth)}`,
    results.depth && `## Depth: nine tenths down a million users\n\n${toDepthTable(results.depth)}`,
    results.worst && `## The worst documented request\n\n${toWorstText(results.worst)}`,
    `## Cold start\n\n![cold start](cold-start.svg)\n\n${toColdStartTable(results)}`,
    `## Throughput of one instance\n\n${toThroughputTable(results.throughput)}`,
    `## Compression of a page of 1,000\n\n${toCompressionTables(results.compression)}`,
    `## Memory\n\n${toTable(['requests', ...results.memory.map(({ requests }) => String(requests))], [['MB resident', ...results.memory.map(({ rssMb }) => rssMb.toFixed(0))]])}`,
  ];
  writeFileSync(`${folder}/README.md`, `${sections.filter((section) => section !== undefined).join('\n\n')}\n`);
  // A quick run is none to show.
  if (results.depth) updateReadme({ overhead: toOverheadTable(results.overhead), count: toCountTable(results.growth) });
  writeFileSync(`${folder}/overhead.svg`, toOverheadPlot(results.overhead));
  writeFileSync(`${folder}/growth.svg`, toGrowthPlot(results.growth));
  writeFileSync(`${folder}/cold-start.svg`, toColdStartPlot(results.coldStart));
}

/** The tables in the project's README are of the same run. */
function updateReadme(tables: Record<string, string>): void {
  let readme = readFileSync('README.md', 'utf8');
  for (const [name, table] of Object.entries(tables)) {
    const marked = new RegExp(`(<!-- bench:${name} -->\\n)[\\s\\S]*?(<!-- /bench -->)`);
    readme = readme.replace(marked, `$1${table}\n$2`);
  }
  writeFileSync('README.md', readme);
}

function toOverheadTable(overhead: Overhead[]): string {
  return toTable(
    ['request', 'function p50', 'p99', 'driver p50', 'p99', 'ratio', 'goal', ''],
    overhead.map(({ kind, handler, driver, ratio: times, goal }) => [
      kind,
      ...[handler.p50, handler.p99, driver.p50, driver.p99].map(ms),
      ratio(times),
      `≤ ${goal}`,
      met(times <= goal),
    ]),
  );
}

/** A request of A must not take much longer than of 200 listed, but for the count; singles not twelve times the default page. */
function toGoalsOfGrowth(growth: Growth[]): string {
  const largest = 'A' in (growth[0]?.times ?? {}) ? 'A' : 'small2k'; // a quick run has no A
  const steady = growth.slice(0, 4).map(({ kind, times }) => {
    const [small, large] = [times['small200'], times[largest]];
    if (!small || !large) throw new Error(`no figures of ${kind} in ${largest}`);
    const quotient = (large.request.p50 - large.count.p50) / (small.request.p50 - small.count.p50);
    return [
      kind,
      ms(small.request.p50),
      ms(small.count.p50),
      ms(large.request.p50),
      ms(large.count.p50),
      ratio(quotient),
      met(quotient <= 1.5),
    ];
  });
  const defaultPage = growth[0]?.times[largest]?.request.p50 ?? Number.NaN;
  const singles = growth.slice(4).map(({ kind, times }) => ({ kind, p50: times[largest]?.request.p50 ?? 0 }));
  const slowest = singles.reduce((a, b) => (b.p50 > a.p50 ? b : a));
  const over = singles.filter(({ p50 }) => p50 > 6).map(({ kind }) => kind);
  return [
    toTable(['request', '200 listed', 'its count', largest, 'its count', 'ratio without counts', 'goal ≤ 1.5'], steady),
    `Any single filter or ordering in ${largest}: the slowest is \`${slowest.kind}\` with ${ms(slowest.p50)} ms, ${ratio(slowest.p50 / defaultPage)} × the default page. Goal ≤ 6 ms, or ≤ 12 × the default page: ${met(slowest.p50 <= Math.max(6, 12 * defaultPage))}. Over 6 ms: ${over.join(', ') || 'none'}.`,
  ].join('\n\n');
}

function toGrowthTable(growth: Growth[]): string {
  const names = Object.keys(growth[0]?.times ?? {});
  return toTable(
    ['request', ...names.flatMap((name) => [name, 'its count'])],
    growth.map(({ kind, times }) => [
      kind,
      ...names.flatMap((name) => [ms(times[name]?.request.p50), ms(times[name]?.count.p50)]),
    ]),
  );
}

/** What each listed user adds, against the smallest data set. */
function toCountTable(growth: Growth[]): string {
  const counts = Object.entries(growth[0]?.times ?? {}).map(([name, { count }]) => ({
    listed: datasets[name as keyof typeof datasets].listed,
    p50: count.p50,
  }));
  const smallest = counts[0] ?? { listed: 0, p50: Number.NaN };
  return toTable(
    ['listed', 'count p50', 'ns for each more who is listed'],
    counts.map(({ listed, p50 }) => [
      listed.toLocaleString('en'),
      ms(p50),
      listed > smallest.listed ? (((p50 - smallest.p50) * 1e6) / (listed - smallest.listed)).toFixed(0) : '',
    ]),
  );
}

function toDepthTable(depth: Depth[]): string {
  const count = depth[0]?.p50 ?? Number.NaN;
  const rows = depth.map(({ kind, p50 }) => [kind, ms(p50), ratio(p50 / count)]);
  const deep = depth[2]?.p50 ?? Number.NaN;
  return `${toTable(['request', 'p50', '/ the count'], rows)}\n\nGoal, a deep offset ≤ 3 × the count: ${met(deep <= 3 * count)}.`;
}

function toWorstText({ query, milliseconds, limited }: Worst): string {
  return [
    `A greedy search over the parameters found, in C, ${ms(milliseconds)} ms for\n\n\`?${query}\``,
    `With a time limit of ${limited.limitMs} ms the same request is a ${limited.status} after ${ms(limited.milliseconds)} ms, and the instance answers the next one with ${limited.next}: ${met(limited.status === 503 && limited.next === 200)}.`,
  ].join('\n\n');
}

function toColdStartTable({ coldStart, bundleBytes }: Results): string {
  const [empty] = coldStart;
  const rows = coldStart.map(({ kind, imported, answered }) => [
    kind,
    ms(imported.p50),
    ratio(imported.p50 / (empty?.imported.p50 ?? Number.NaN)),
    ms(answered.p50),
  ]);
  const list = coldStart.find(({ kind }) => kind === 'the list');
  const quotient = (list?.imported.p50 ?? Number.NaN) / (empty?.imported.p50 ?? Number.NaN);
  return [
    toTable(['from the start of the process', 'imported', '/ empty', 'first answer'], rows),
    `Goal, imported ≤ 1.5 × the empty handler: ${met(quotient <= 1.5)}. The bundle has ${(bundleBytes / 1000).toFixed(0)} kB; goal ≤ 220 kB: ${met(bundleBytes <= 220_000)}.`,
  ].join('\n\n');
}

function toThroughputTable(throughput: Throughput[]): string {
  return toTable(
    ['request', 'requests/s', 'CPU ms each', 'DRF requests/s', 'ratio', 'goal ≥ 10'],
    throughput.map(({ kind, perSecond, cpuMsEach, original }) => [
      kind,
      perSecond.toFixed(0),
      ms(cpuMsEach),
      original.toFixed(0),
      (perSecond / original).toFixed(1),
      met(perSecond >= 10 * original),
    ]),
  );
}

function toCompressionTables({ requests, levels, bytes }: Compression): string {
  const identity = requests['identity']?.p50 ?? Number.NaN;
  const kb = (bytes: number) => (bytes / 1000).toFixed(0);
  return [
    toTable(
      ['Accept-Encoding', 'request p50', 'p99', '/ identity'],
      Object.entries(requests).map(([name, { p50, p99 }]) => [name, ms(p50), ms(p99), ratio(p50 / identity)]),
    ),
    `Compressing alone, of ${kb(bytes)} kB; bold is what the function does.`,
    toTable(
      ['encoding', 'quality', 'p50', 'kB'],
      levels.map(({ encoding, quality, isOurs, p50, bytes }) => {
        const cells = [encoding, String(quality), ms(p50), kb(bytes)];
        return isOurs ? cells.map((cell) => `**${cell}**`) : cells;
      }),
    ),
  ].join('\n\n');
}

const toOverheadPlot = (overhead: Overhead[]): string =>
  toBars(
    'p50, ms: the function and the bare driver',
    overhead.map(({ kind, handler, driver }) => ({
      label: kind,
      values: { driver: driver.p50, function: handler.p50 },
    })),
  );

const toColdStartPlot = (coldStart: ColdStart[]): string =>
  toBars(
    'p50 from the start of the process, ms',
    coldStart.map(({ kind, imported, answered }) => ({
      label: kind,
      values: { imported: imported.p50, 'first answer': answered.p50 },
    })),
  );

function toGrowthPlot(growth: Growth[]): string {
  const shown = [
    'default page',
    'rare search',
    'no-match search',
    'is_active',
    'ordering=-last_login',
    'ordering=email',
  ];
  const lines = growth
    .filter(({ kind }) => shown.includes(kind))
    .map(({ kind, times }) => ({
      label: kind,
      points: Object.entries(times).map(([name, { request }]) => ({ x: name, y: request.p50 })),
    }));
  return toLines('p50 by data set, ms (logarithmic)', lines);
}

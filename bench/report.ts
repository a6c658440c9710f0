import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { type Beside, toBesideSummary, toBesideText } from './beside.ts';
import { type Churn, toChurnText } from './churn.ts';
import { type ColdStart, toColdStartPlot, toColdStartTable } from './cold-start.ts';
import { type Compression, toCompressionTables } from './compression.ts';
import { type Depth, toDepthTable } from './depth.ts';
import { type Growth, toCountTable, toGoalsOfGrowth, toGrowthPlot, toGrowthSummary, toGrowthTable } from './growth.ts';
import { type Overhead, toOverheadPlot, toOverheadTable } from './overhead.ts';
import { type Memory, type Throughput, toMemoryTable, toThroughputTable } from './throughput.ts';
import { toWorstText, type Worst } from './worst.ts';
import { toWritersTable, type Writer } from './writers.ts';

export type Results = {
  server: string;
  overhead: Overhead[];
  growth: Growth[];
  depth: Depth | undefined;
  writers: Writer[];
  churn: Churn[] | undefined;
  worst: Worst | undefined;
  bundleBytes: number;
  coldStart: ColdStart[];
  throughput: Throughput[];
  /** What the peer needs and is not installed, and what was measured if nothing is missing. */
  missing: string[];
  beside: Beside[];
  compression: Compression;
  memory: Memory;
};

/** Writes the report and its plots into the folder; every figure and verdict comes from the results. */
export function writeReport(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  const sections = [
    '# Benchmark',
    `${toMachine()}; ${results.server}, on the same machine. Milliseconds, p50 unless said. \`npm run bench\` makes this page.`,
    `## Overhead: the function against the bare driver\n\n![overhead](overhead.svg)\n\n${toOverheadTable(results.overhead)}`,
    `## Growth\n\n![growth](growth.svg)\n\n${toGoalsOfGrowth(results.growth)}\n\n${toGrowthTable(results.growth)}`,
    `## The count\n\nOf all who are listed, alone, by the index; it is part of each request above.\n\n${toCountTable(results.growth)}`,
    results.depth && `## Depth: nine tenths down a million users\n\n${toDepthTable(results.depth)}`,
    `## Writers: what the indexes of the orderings cost them\n\n${toWritersTable(results.writers)}`,
    results.churn && `## Churn: while customers sign in\n\n${toChurnText(results.churn)}`,
    results.worst && `## The worst documented request\n\n${toWorstText(results.worst)}`,
    `## Cold start\n\n![cold start](cold-start.svg)\n\n${toColdStartTable(results.coldStart, results.bundleBytes)}`,
    `## Throughput of one instance\n\n${toThroughputTable(results.throughput)}`,
    `## Beside Django REST framework\n\n${toBesideText(results.missing, results.beside)}`,
    `## Compression of a page of 1,000\n\n${toCompressionTables(results.compression)}`,
    `## Memory\n\n${toMemoryTable(results.memory)}`,
  ];
  writeFileSync(`${folder}/README.md`, `${sections.filter((section) => section !== undefined).join('\n\n')}\n`);
  // A quick run is none to show.
  if (results.depth && results.beside.length > 0) {
    updateReadme({ beside: toBesideSummary(results.beside), growth: toGrowthSummary(results.growth) });
  }
  writeFileSync(`${folder}/overhead.svg`, toOverheadPlot(results.overhead));
  writeFileSync(`${folder}/growth.svg`, toGrowthPlot(results.growth));
  writeFileSync(`${folder}/cold-start.svg`, toColdStartPlot(results.coldStart));
}

function toMachine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model.trim()}, ${arch()}, ${memory} GB, Linux ${release()}; Node.js ${process.version}`;
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

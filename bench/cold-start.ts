import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { met, ms, ratio, toTable } from './markdown.ts';
import { type Times, toTimes } from './measure.ts';
import { toBars } from './plot.ts';
import { toEvent } from './subject.ts';

/** From the start of the process until the module is imported, and until its first answer. */
export type ColdStart = { kind: string; imported: Times; answered: Times };

/** Imports the module named first and calls it with the event; prints both times, counted from the start of the process. */
const program = `
const { handler } = await import(process.argv[2]);
const imported = performance.now();
await handler(JSON.parse(process.argv[3]));
process.stderr.write('\\n' + JSON.stringify({ imported, answered: performance.now() }));
process.exit();
`;

const emptyHandler = 'export const handler = async () => ({ statusCode: 204 });';

/** What the bundle and its libraries ask Node.js for while they are loaded. */
const ownModules = `for (const name of ['crypto', 'dns', 'events', 'fs', 'path', 'util', 'zlib']) process.getBuiltinModule(name);`;

const bundle = resolve('dist/handlers/users.mjs');

export const bundleBytes = (): number => statSync(bundle).size;

/** Processes one after the other, the kinds in turn. The compile cache is V8's, filled by a run before. */
export async function measureColdStart(databaseUrl: string, runs: number): Promise<ColdStart[]> {
  const folder = mkdtempSync(join(tmpdir(), 'users-api-cold-'));
  const empty = join(folder, 'empty.mjs');
  writeFileSync(empty, emptyHandler);
  writeFileSync(join(folder, 'program.mjs'), program);
  const own = join(folder, 'own.mjs');
  writeFileSync(own, `${ownModules}\n${emptyHandler}`);
  const environment = { PATH: process.env['PATH'], DATABASE_URL: databaseUrl };
  const kinds = {
    'an empty handler': { module: empty, env: environment },
    "Node.js's own modules that it needs": { module: own, env: environment },
    'the list': { module: bundle, env: environment },
    'the list, with a compile cache': {
      module: bundle,
      env: { ...environment, NODE_COMPILE_CACHE: join(folder, 'cache') },
    },
  };
  const samples = Object.keys(kinds).map((kind) => ({ kind, imported: [] as number[], answered: [] as number[] }));
  for (let run = -1; run < runs; run += 1) {
    for (const { kind, imported, answered } of samples) {
      const { module, env } = kinds[kind as keyof typeof kinds];
      const { stderr } = spawnSync(process.execPath, ['program.mjs', module, JSON.stringify(toEvent(''))], {
        cwd: folder,
        encoding: 'utf8',
        env,
      });
      const times = JSON.parse(stderr.split('\n').at(-1) ?? '') as { imported: number; answered: number };
      if (run < 0) continue; // fills the caches
      imported.push(times.imported);
      answered.push(times.answered);
    }
  }
  rmSync(folder, { recursive: true, force: true });
  return samples.map(({ kind, imported, answered }) => ({
    kind,
    imported: toTimes(imported),
    answered: toTimes(answered),
  }));
}

export function toColdStartTable(coldStart: ColdStart[], bundleBytes: number): string {
  const empty = coldStart.find(({ kind }) => kind === 'an empty handler');
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
    `Goal, imported ≤ 1.8 × the empty handler: ${met(quotient <= 1.8)}. The bundle has ${(bundleBytes / 1000).toFixed(0)} kB; goal ≤ 200 kB: ${met(bundleBytes <= 200_000)}.`,
  ].join('\n\n');
}

export const toColdStartPlot = (coldStart: ColdStart[]): string =>
  toBars(
    'p50 from the start of the process, ms',
    coldStart.map(({ kind, imported, answered }) => ({
      label: kind,
      values: { imported: imported.p50, 'first answer': answered.p50 },
    })),
  );

import { ms, toTable } from './markdown.ts';
import { median } from './measure.ts';
import { openHandler, warmUp } from './subject.ts';

export type Throughput = { kind: string; perSecond: number; cpuMsEach: number };

const kinds: Record<string, string> = {
  'default page': '',
  'limit=100': 'limit=100',
  'a search': 'search=user00012',
  'a selective filter': 'is_active=false',
  'ordering=-last_login': 'ordering=-last_login',
};

/**
 * One instance, one request after the other; CPU time is that of this process, so without the database's. Medians of rounds, each with an
 * instance of its own.
 */
export async function measureThroughput(
  databaseUrl: string,
  rounds: number,
  millisecondsEach: number,
): Promise<Throughput[]> {
  const results = Object.entries(kinds).map(([kind, query]) => ({
    kind,
    query,
    rounds: [] as { perSecond: number; cpuMsEach: number }[],
  }));
  for (let round = 0; round < rounds; round += 1) {
    const handler = await openHandler(databaseUrl);
    await warmUp(() => handler(''));
    for (const { query, rounds } of results) rounds.push(await countRequests(() => handler(query), millisecondsEach));
  }
  return results.map(({ kind, rounds }) => ({
    kind,
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    cpuMsEach: median(rounds.map(({ cpuMsEach }) => cpuMsEach)),
  }));
}

async function countRequests(request: () => Promise<unknown>, milliseconds: number) {
  for (let run = 0; run < 20; run += 1) await request();
  const cpu = process.cpuUsage();
  const start = performance.now();
  let requests = 0;
  while (performance.now() - start < milliseconds) {
    await request();
    requests += 1;
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: requests / seconds, cpuMsEach: (user + system) / 1000 / requests };
}

/** Megabytes of resident memory after so many requests. */
export type Memory = { requests: number; rssMb: number }[];

/** Of this process, which should have done nothing else: flat when nothing leaks. */
export async function measureMemory(databaseUrl: string, requests: number): Promise<Memory> {
  const handler = await openHandler(databaseUrl);
  const memory: Memory = [];
  for (let done = 0; done <= requests; done += 1) {
    if (done % (requests / 10) === 0) memory.push({ requests: done, rssMb: process.memoryUsage.rss() / 2 ** 20 });
    await handler('');
  }
  return memory;
}

export const toThroughputTable = (throughput: Throughput[]): string =>
  toTable(
    ['request', 'requests/s', 'CPU ms each'],
    throughput.map(({ kind, perSecond, cpuMsEach }) => [kind, perSecond.toFixed(0), ms(cpuMsEach)]),
  );

export const toMemoryTable = (memory: Memory): string =>
  toTable(
    ['requests', ...memory.map(({ requests }) => String(requests))],
    [['MB resident', ...memory.map(({ rssMb }) => rssMb.toFixed(0))]],
  );

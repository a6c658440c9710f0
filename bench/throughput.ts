import { openHandler } from './subject.ts';

export type Throughput = { kind: string; perSecond: number; cpuMsEach: number; original: number };

/**
 * Requests per second of Django REST framework with its best indexes, at one connection on a two-core machine, data set A:
 * from 13 ms for the default page, 27, 56, 49 and 51 ms. Measured by the original's owners, not by this program.
 */
const originals: Record<string, { query: string; perSecond: number }> = {
  'default page': { query: '', perSecond: 72 },
  'limit=100': { query: 'limit=100', perSecond: 1000 / 27 },
  'a search': { query: 'search=user00012', perSecond: 1000 / 56 },
  'a selective filter': { query: 'is_active=false', perSecond: 1000 / 49 },
  'ordering=-last_login': { query: 'ordering=-last_login', perSecond: 1000 / 51 },
};

/** One instance, one request after the other; CPU time is that of this process, so without the database's. */
export async function measureThroughput(databaseUrl: string, millisecondsEach: number): Promise<Throughput[]> {
  const handler = await openHandler(databaseUrl);
  const results: Throughput[] = [];
  for (const [kind, { query, perSecond: original }] of Object.entries(originals)) {
    for (let run = 0; run < 20; run += 1) await handler(query);
    const cpu = process.cpuUsage();
    const start = performance.now();
    let requests = 0;
    while (performance.now() - start < millisecondsEach) {
      await handler(query);
      requests += 1;
    }
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    results.push({ kind, perSecond: requests / seconds, cpuMsEach: (user + system) / 1000 / requests, original });
  }
  return results;
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

import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { qualities } from '../lib/http/compression.ts';
import { ms, ratio, toTable } from './markdown.ts';
import { measure, runsWithin, type Times } from './measure.ts';
import { openHandler, warmUp } from './subject.ts';

export type Compression = {
  /** The whole request, by Accept-Encoding. */
  requests: Record<string, Times>;
  /** Compressing alone, by encoding and quality. */
  levels: { encoding: string; quality: number; isOurs: boolean; p50: number; bytes: number }[];
  /** Of the page. */
  bytes: number;
};

/** What it takes to compress a page of 1,000. */
export async function measureCompression(databaseUrl: string, millisecondsEach: number): Promise<Compression> {
  const handler = await openHandler(databaseUrl);
  await warmUp(() => handler(''));
  const query = 'limit=1000';
  const request = (acceptEncoding: string) => () => handler(query, acceptEncoding);
  const requests = { identity: request('identity'), gzip: request('gzip'), br: request('br') };
  const page = Buffer.from((await handler(query)).body);

  const candidates = [
    ...[1, 2, 3, 4, 6].map((quality) => ({
      encoding: 'gzip' as const,
      quality,
      compress: () => gzipSync(page, { level: quality }),
    })),
    ...[1, 3, 4, 5, 6].map((quality) => ({
      encoding: 'br' as const,
      quality,
      compress: () => brotliCompressSync(page, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }),
    })),
  ];
  const runs = await runsWithin(millisecondsEach, requests.br);
  const times = await measure(
    Object.fromEntries(candidates.map(({ compress }, index) => [index, async () => compress()])),
    runs,
  );
  return {
    requests: await measure(requests, runs),
    levels: candidates.map(({ encoding, quality, compress }, index) => ({
      encoding,
      quality,
      isOurs: qualities[encoding] === quality,
      p50: times[index]?.p50 ?? Number.NaN,
      bytes: compress().length,
    })),
    bytes: page.length,
  };
}

export function toCompressionTables({ requests, levels, bytes }: Compression): string {
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

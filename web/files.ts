import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Compressed } from '../lib/request.ts';

/** A file of a page, as `scripts/build-pages.ts` lists it by its path. */
export type PageFile = {
  /** Inside the folder; there are `<name>.br` and `<name>.gz` of it. */
  name: string;
  mediaType: string;
  /** Of the contents, short: the ETag. */
  hash: string;
  /** Whether the path holds the hash, so that what is found there never changes. */
  hashed: boolean;
};

/** The build's list of the files: `/api/docs/` → api/docs/index.html. */
export function readPageFiles(folder: string): Record<string, PageFile> {
  return JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8'));
}

export function readCompressed(folder: string, { name }: PageFile): Compressed {
  const path = join(folder, name);
  return { br: readFileSync(`${path}.br`), gzip: readFileSync(`${path}.gz`) };
}

export function toPageHeaders({ mediaType, hashed }: PageFile): Record<string, string> {
  return {
    'Content-Type': mediaType,
    'Cache-Control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache', // that is: kept, but asked for each time
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer', // an old link to the console holds what was searched for
  };
}

/** Nothing but the pages' own files runs or is loaded, avatars excepted, and requests go nowhere but here: a token stays. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' https: data:",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

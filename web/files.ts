import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Compressed, Text } from '../lib/request.ts';

/** A file of a page, as `scripts/build-pages.ts` lists it by its path. */
export type PageFile = {
  /** Inside the folder; there are `<name>.br` and `<name>.gz` of it. */
  name: string;
  mediaType: string;
  /** Of the contents, short: the ETag. */
  hash: string;
  /** Whether the path holds the hash, so that what is found there never changes. */
  hashed: boolean;
  /** Whether it is to hold what only the function knows. */
  hasMarks: boolean;
};

/** What only the function knows, a text of a URL each. */
type Known = { mediaOrigin: string; baseUrl: string };

/** Stand for it in what is built. */
export const marks: Known = { mediaOrigin: '{{media-origin}}', baseUrl: '{{base-url}}' };

/** The build's list of the files: `/api/docs/` → api/docs/index.html. */
export function readPageFiles(folder: string): Record<string, PageFile> {
  return JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8'));
}

/** Its contents, with what is known in place of its mark, and their tag. */
export function readContents(
  folder: string,
  { name, hash, hasMarks }: PageFile,
  { mediaOrigin, baseUrl }: Known,
): { tag: string; body: Text | Compressed } {
  const path = join(folder, name);
  const gzip = readFileSync(`${path}.gz`);
  if (!hasMarks) return { tag: hash, body: { br: readFileSync(`${path}.br`), gzip } };
  const text = gunzipSync(gzip)
    .toString()
    .replace(marks.mediaOrigin, mediaOrigin)
    .replace(marks.baseUrl, () => baseUrl); // a function, because a path may hold `$&`
  return { tag: hashOf(text), body: text };
}

/** Enough of it to tell one version of a file from another. */
const hashLength = 10;

export const hashOf = (contents: string): string =>
  createHash('sha256').update(contents).digest('base64url').slice(0, hashLength);

/** `https://media.example.com/files/` → `https://media.example.com`; '' for a host that a policy cannot name, as an address of IPv6. */
export function toMediaOrigin(mediaUrl: string): string {
  const { origin } = new URL(mediaUrl);
  return /^https?:\/\/[\w.-]+(:\d+)?$/.test(origin) ? origin : '';
}

export function toPageHeaders({ mediaType, hashed }: PageFile, mediaOrigin: string): Record<string, string> {
  return {
    'Content-Type': mediaType,
    'Cache-Control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache', // that is: kept, but asked for each time
    'Content-Security-Policy': toPolicy(mediaOrigin),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer', // an old link to the console holds what was searched for
  };
}

/**
 * Nothing but the pages' own files and the media's avatars is loaded, and requests go nowhere but here: a token stays, and nobody elsewhere
 * learns who looks at whom.
 */
const toPolicy = (mediaOrigin: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${["'self'", mediaOrigin, 'data:'].filter(Boolean).join(' ')}`, // Swagger UI draws with data:
    "connect-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');

import type { Links } from '../page.ts';
import type { Compressed, Request, Response, Text } from '../request.ts';
import { type HttpError, uriTooLong } from './errors.ts';
import { mediaTypes } from './negotiation.ts';

export const ok = (json: Text, links?: Links): Response => ({
  status: 200,
  headers: { 'Content-Type': mediaTypes.json, ...toLinkHeader(links) },
  body: json,
});

/** A CSV text as a file to save: `users-2026-02-21.csv` for the name `users`. Without links it is all there is. */
export const csvFile = (name: string, text: Text, links?: Links): Response => ({
  status: 200,
  headers: {
    'Content-Type': `${mediaTypes.csv}; charset=utf-8; header=present`,
    'Content-Disposition': `attachment; filename="${name}-${new Date().toISOString().slice(0, 10)}.csv"`,
    ...toLinkHeader(links),
  },
  body: text,
});

/** Common proxies take 8 KB of headers. The others of ours, and what the gateway adds, have a few hundred bytes. */
const maxHeaderLength = 7 * 1024;

/**
 * RFC 8288: `<https://…>; rel="next", <https://…>; rel="last"`. Where not all fit, those that a walk needs: `next` goes last, because without
 * it the walk would seem to be over.
 */
function toLinkHeader(links: Links | undefined): { Link?: string } {
  if (!links) return {};
  const { prev, next } = links;
  for (const kept of [links, { prev, next }, { next }]) {
    const header = Object.entries(kept)
      .flatMap(([relation, url]) => (url === null ? [] : `<${url}>; rel="${relation}"`))
      .join(', ');
    if (header.length <= maxHeaderLength) return header === '' ? {} : { Link: header };
  }
  return {};
}

/**
 * A file of the build. `tag` is its version, for clients that have it already: a 304 then, by weak comparison (RFC 9110, 13.1.2), which looks at
 * what is between the quotes alone.
 */
export function file(request: Request, tag: string, own: Record<string, string>, body: Text | Compressed): Response {
  const headers = { ...own, ETag: `W/"${tag}"`, Vary: 'Accept-Encoding' }; // weak: one for all encodings
  const known = request.headers['if-none-match'] ?? '';
  const isKnown = known.trim() === '*' || known.match(/"[^"]*"/g)?.includes(`"${tag}"`);
  return isKnown ? { status: 304, headers, body: '' } : { status: 200, headers, body };
}

export const noContent = (headers: Record<string, string>): Response => ({ status: 204, headers, body: '' });

/** To the path, behind what `baseUrl` has before it, with the same query. Throws a 414 where that is more than a header may have. */
export function redirect({ baseUrl, rawQuery }: Request, path: string): Response {
  const query = rawQuery === '' ? '' : `?${toHeaderText(rawQuery)}`;
  const location = `${new URL(baseUrl).pathname.replace(/\/$/, '')}${path}${query}`;
  if (location.length > maxHeaderLength) throw uriTooLong(path);
  return { status: 301, headers: { Location: location }, body: '' };
}

/** What a header cannot carry, percent-encoded; a query that came over HTTP has none of it. */
const toHeaderText = (text: string): string => text.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);

/** RFC 9457. */
export const problem = ({ status, title, detail, errors, headers }: HttpError): Response => ({
  status,
  headers: { 'Content-Type': 'application/problem+json', ...headers },
  body: JSON.stringify({ type: 'about:blank', title, status, detail, errors }),
});

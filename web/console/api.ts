import type { Page } from '../../lib/page.ts';
import type { User } from '../../lib/users/user.ts';

/** RFC 9457, and what stands for one when the answer is not of the API. */
export type Problem = { status: number; detail: string; errors?: Record<string, string[]> };

export type UserPage = Page<User>;

/** Of a download, by the name that the API gives it: users-2026-02-21.csv */
export type CsvFile = { name: string; contents: Blob };

type Answer<Found> = { found: Found; problem?: never } | { problem: Problem; found?: never };

/** The list beside this page, whatever stage or path both are under. */
export function toUsersUrl(query: URLSearchParams): URL {
  const url = new URL('../users/', location.href);
  url.search = query.toString();
  return url;
}

export const fetchUsers = (query: URLSearchParams, token: string, signal: AbortSignal): Promise<Answer<UserPage>> =>
  ask(query, token, 'application/json', signal, (response) => response.json());

export const fetchFile = (query: URLSearchParams, token: string, signal: AbortSignal): Promise<Answer<CsvFile>> =>
  ask(query, token, 'text/csv', signal, async (response) => {
    const [, name = 'users.csv'] = /filename="(.+)"/.exec(response.headers.get('Content-Disposition') ?? '') ?? [];
    return { name, contents: await response.blob() };
  });

async function ask<Found>(
  query: URLSearchParams,
  token: string,
  accepted: string,
  signal: AbortSignal,
  read: (response: Response) => Promise<Found>,
): Promise<Answer<Found>> {
  try {
    const headers = { Accept: accepted, Authorization: `Token ${toHeaderText(token)}` };
    const response = await fetch(toUsersUrl(query), { headers, signal, credentials: 'omit', cache: 'no-store' });
    if (response.ok) return { found: await read(response) };
    const body = await response.json().catch(() => ({})); // a proxy may answer with a page
    return { problem: { detail: toDetail(response.status), ...body, status: response.status } };
  } catch (error) {
    if (signal.aborted) throw error;
    return { problem: { status: 0, detail: 'The API cannot be reached. Is there a network?' } };
  }
}

/** For answers that say nothing themselves, as a gateway's. */
function toDetail(status: number): string {
  if (status === 404) return 'There is no list of users beside this page (404).';
  if (status === 429) return 'The API has too many requests at the moment (429). Try again in a minute.';
  if (status >= 500) return `The API cannot answer at the moment (${status}). Try again in a minute.`;
  return `The API refuses the request and does not say why (${status}).`;
}

/** Its UTF-8 bytes, a character each: what a header holds. The API reads them as such, and fetch would throw at any other letter. */
const toHeaderText = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text));

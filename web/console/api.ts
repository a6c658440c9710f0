import type { Page } from '../../lib/page.ts';
import type { User } from '../../lib/users/user.ts';

/** RFC 9457, and what stands for one when the answer is not of the API. */
export type Problem = { status: number; detail: string; errors?: Record<string, string[]> };

export type UserPage = Page<User>;

type Answer = { found: UserPage; problem?: never } | { problem: Problem; found?: never };

/** The list beside this page, whatever stage or path both are under. */
export function toUsersUrl(query: URLSearchParams): URL {
  const url = new URL('../users/', location.href);
  url.search = query.toString();
  return url;
}

export async function fetchUsers(query: URLSearchParams, token: string, signal: AbortSignal): Promise<Answer> {
  try {
    const headers = { Accept: 'application/json', Authorization: `Token ${toHeaderText(token)}` };
    const response = await fetch(toUsersUrl(query), { headers, signal, credentials: 'omit', cache: 'no-store' });
    const body = await response.json();
    if (response.ok) return { found: body };
    return { problem: { detail: `The request failed (${response.status}).`, ...body, status: response.status } };
  } catch (error) {
    if (signal.aborted) throw error;
    return { problem: { status: 0, detail: 'The API cannot be reached. Is there a network?' } };
  }
}

/** Its UTF-8 bytes, a character each: what a header holds. The API reads them as such, and fetch would throw at any other letter. */
const toHeaderText = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text));

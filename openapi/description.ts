import { allowedMethods } from '../lib/http/route.ts';

/** What holds for the whole API, in CommonMark; what typed clients would make functions of, though nobody calls them, among it. */
export const description = `\
**Queries.** An empty value of a parameter counts as not given, and one given twice alike counts once; lists may be repeated and are joined. An unknown
parameter, one of two values and a malformed value are a 400 that names every fault. Operators may let unknown parameters pass for a while (\`UNKNOWN_PARAMETERS=report\`):
then they are ignored, and named in \`X-Ignored-Parameters\`.

**Other methods and paths.** HEAD is answered with the headers of GET and no body, OPTIONS with a 204 and \`Allow: ${allowedMethods}\`, to anybody. The path without the
slash at its end is redirected to the one with it, to anybody: a 301 whose \`Location\` is relative and keeps the query, or a 414 where that would be
too long for a header. Any other method is a 405 with \`Allow\`, any other path a 404.

**When to ask again.** After a 503 with \`Retry-After\`: that many seconds later. A 503 without it would take as long again: narrow the query as its
\`detail\` says. Where more is asked at once than the gateway lets through, it answers by itself: a 429 with \`{"message":"Too Many Requests"}\`, no problem
of RFC 9457 and without \`Retry-After\`. Wait a second, and twice as long after each further one, with a random part, so that clients do not come back
together. Any other 4xx stays what it is, however often one asks.`;

import { hash } from 'node:crypto';

/** One for each statement that clients think of would fill the server's memory: each takes 0.12 MB of it. */
const maxPrepared = 28;

/** What else is asked for once would fill the memory of an instance. */
const maxSeen = 100;

/** When a statement is prepared: as long as there is room, `again` from the second time on, or `always`. */
export type Preparation = true | 'again' | 'always';

/** Gives statements the names under which a connection keeps them prepared. */
export function openNames(): (text: string, preparation: Preparation) => string | undefined {
  const names = new Map<string, string>();
  const seen = new Set<string>();
  return (text, preparation) => {
    const known = names.get(text);
    const isFull = names.size >= maxPrepared && preparation !== 'always';
    if (known || isFull) return known;
    if (preparation === 'again' && !seen.has(text)) {
      if (seen.size >= maxSeen) seen.clear();
      seen.add(text);
      return undefined;
    }
    // Of the text: a pooler's connection may know the name already, from another instance, and must mean the same statement.
    const name = `users-api ${hash('sha256', text, 'base64url')}`;
    names.set(text, name);
    return name;
  };
}

import { hash } from 'node:crypto';

/** One for each statement that clients think of would fill the server's memory: a plan takes some hundred kilobytes. */
const maxPrepared = 12;

/** Gives statements the names under which a connection keeps them prepared, as long as there is room, or `always`. */
export function openNames(): (text: string, always: boolean) => string | undefined {
  const names = new Map<string, string>();
  return (text, always) => {
    const known = names.get(text);
    if (known || (names.size >= maxPrepared && !always)) return known;
    // Of the text: a pooler's connection may know the name already, from another instance, and must mean the same statement.
    const name = `users-api ${hash('sha256', text, 'base64url')}`;
    names.set(text, name);
    return name;
  };
}

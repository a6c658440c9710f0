import { parseArgs } from 'node:util';
import { OperatorError } from './operator-error.ts';

/** The one word of a command without options. */
export function readOnlyUsername(args: string[]): string {
  return readUsername(parseArgs({ args, allowPositionals: true }).positionals);
}

export function readUsername(positionals: string[]): string {
  const [username, ...rest] = positionals;
  if (username === undefined || rest.length > 0) {
    throw new OperatorError(`Expected one username; got ${positionals.length}.`);
  }
  return username;
}

/** Of a name or an address. An index takes 2,700 bytes, of which a character has four at most. */
const mostCharacters = 255;

/** Ends of lines and paragraphs, the invisible space, marks that turn the direction of what follows: not the joiners, which Persian needs. */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/u;

/** Of what is to be written: what nobody could type again is a slip. */
export function requireText(what: string, text: string, most = mostCharacters): void {
  if (text === '' || text !== text.trim() || unseen.test(text)) {
    throw new OperatorError(
      `${what} is a text without control and other invisible characters, and without white space around it.`,
    );
  }
  const { length } = [...text];
  if (length > most) throw new OperatorError(`${what} has ${most} characters at most, not ${length}.`);
}

/** Up to nine digits. */
export function readWholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new OperatorError(`${option} must be a whole number, not "${text}".`);
  return Number(text);
}

/** A day to a century. */
export function readDays(option: string, text: string): number {
  const days = readWholeNumber(option, text);
  if (days < 1 || days > 36_500) throw new OperatorError(`${option} must be from 1 to 36500, not ${days}.`);
  return days;
}

/** A name that needs no quotes, whoever writes it. */
export function readRole(positionals: string[]): string {
  const [role = '', ...rest] = positionals;
  if (rest.length > 0 || !/^[a-z_][a-z0-9_]{0,62}$/.test(role)) {
    throw new OperatorError('Expected one name of a role: small letters, digits and underscores.');
  }
  return role;
}

/** Milliseconds, as text. */
export function readTimeLimit(text: string): string {
  if (/^[1-9]\d{1,5}$/.test(text)) return text;
  throw new OperatorError('--time-limit-ms must be a whole number from 10 to 999999.');
}

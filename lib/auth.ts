import { hash as digest } from 'node:crypto';
import { sql } from 'kysely';
import { type Db, QueryTimeout } from './database/database.ts';
import { compile } from './database/statement.ts';
import { databaseUnavailable, forbidden, unauthorized } from './http/errors.ts';
import type { Request } from './request.ts';
import type { Settings } from './settings.ts';

/** Who sends the request. `permissions` holds codes, given directly or through a group. */
export type Caller = { id: number; isStaff: boolean; isAdmin: boolean; permissions: number[] };

/** Permission codes of the original application. */
export const permissions = {
  /** 1222 'UserPermission' */
  viewUsers: 1222,
} as const;

/** What a caller without a token that counts is told, in DRF's words; its clients may compare them. */
export const refusals = {
  none: () => unauthorized('Authentication credentials were not provided.'),
  noKey: () => unauthorized('Invalid token header. No credentials provided.'),
  spaces: () => unauthorized('Invalid token header. Token string should not contain spaces.'),
  characters: () => unauthorized('Invalid token header. Token string should not contain invalid characters.'),
  unknown: () => unauthorized('Invalid token.'),
  inactive: () => unauthorized('User inactive or deleted.'),
};

/** Reads `Authorization: Token <key>` as DRF's TokenAuthentication does. Throws a 401. */
export async function authenticate(
  db: Db,
  request: Request,
  { tokenHash }: Pick<Settings, 'tokenHash'>,
): Promise<Caller> {
  const hash = hashKey(readKey(request.headers['authorization']), tokenHash);
  request.note({ token: hash.toString('hex', 0, 4) });
  const [caller] = await db.run(selectCaller, { prepare: 'always', values: [hash] }).catch((error: unknown) => {
    // It reads a row by its key: if that takes too long, so does everything.
    throw error instanceof QueryTimeout ? databaseUnavailable(error.cause) : error;
  });
  if (!caller) throw refusals.unknown();
  request.note({ callerId: caller.id });
  if (!caller.is_active) throw refusals.inactive();
  return { id: caller.id, isStaff: caller.is_staff, isAdmin: caller.is_admin, permissions: caller.permissions };
}

/** Admins may do all; staff what a permission allows them. Throws a 403. */
export function requirePermission(caller: Caller, permission: number): void {
  const isAllowed = caller.isAdmin || (caller.isStaff && caller.permissions.includes(permission));
  if (!isAllowed) throw forbidden();
}

/**
 * The form in which the database holds a key: a hash of its UTF-8 bytes, SHA-256 unless an application of Django's has made it. `sha512-hex`: of the
 * bytes that its hexadecimal digits say.
 */
export function hashKey(key: string, form: Settings['tokenHash'] = 'sha256'): Buffer {
  if (form !== 'sha512-hex') return digest(form, key, 'buffer');
  // Digits to the end, or it would be the hash of those before.
  return digest('sha512', /^([\da-f]{2})+$/i.test(key) ? Buffer.from(key, 'hex') : key, 'buffer');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readKey(authorization = ''): string {
  const [scheme = '', key, ...rest] = authorization.split(/[\t-\r ]+/).filter((part) => part !== '');
  if (scheme.toLowerCase() !== 'token') throw refusals.none();
  if (key === undefined) throw refusals.noKey();
  if (rest.length > 0) throw refusals.spaces();
  return decodeKey(key);
}

/** HTTP carries bytes. Who hands them on as text makes each a character (Latin-1), or has decoded them as UTF-8 already. */
function decodeKey(key: string): string {
  try {
    const isBytes = /^[\0-\xff]*$/.test(key);
    const decoded = isBytes ? utf8.decode(Buffer.from(key, 'latin1')) : key;
    if (decoded.isWellFormed() && !/[\p{Cc}\ufffd]/u.test(decoded)) return decoded;
  } catch {
    // not UTF-8: the same answer as below
  }
  throw refusals.characters();
}

type CallerRow = { id: number; is_active: boolean; is_staff: boolean; is_admin: boolean; permissions: number[] };

/**
 * Its one value is the hash. By a function, so that the API's role may read no hashes; of its very type, or another function of the
 * name, of text, would go before it. Compiled once, as it never changes.
 */
export const selectCaller = compile(sql<CallerRow>`select * from find_caller(${Buffer.alloc(0)}::bytea)`);

import { findTable, mayRepeat, referenceTo, type Table, toName } from './catalog.ts';
import { toHint } from './expressions.ts';
import type { Mapping } from './mapping.ts';
import type { Mirror, TokenHash } from './mirror.ts';
import { quoteName, quoteTable, quoteText, toPresent } from './quoting.ts';

/** The key as rest_framework.authtoken keeps it: hashed as the API hashes what a client sends. */
const hashes: Record<TokenHash, string> = {
  sha256: "sha256(convert_to(u.key, 'UTF8'))",
  sha512: "sha512(convert_to(u.key, 'UTF8'))",
  'sha512-hex': "sha512(decode(u.key, 'hex'))",
};

/** Tokens: of rest_framework.authtoken, which keeps keys, and of django-rest-knox, which keeps hashes of them. */
export function planTokens(
  tables: Table[],
  users: Table,
  { tokens, token_hash }: Mapping,
  faults: string[],
): { mirrors: Mirror[]; tokenHash: TokenHash } {
  const wanted = (tokens ?? findTokens(tables)).map((one) =>
    typeof one === 'string' ? { table: one, lifetime_seconds: undefined } : one,
  );
  if (wanted.length === 0) faults.push(noTokens);
  const found = wanted.flatMap(({ table: name, lifetime_seconds }) => {
    const table = findTable(tables, name);
    if (!table) faults.push(`tokens: there is no table "${name}"${toHint(name, tables.map(toName))}`);
    return table ? [{ table, lifetime_seconds }] : [];
  });
  const has = (table: Table, ...names: string[]) =>
    names.every((name) => table.columns.some((column) => column.name === name));
  const tokenHash = token_hash ?? (found.some(({ table }) => has(table, 'digest')) ? 'sha512' : 'sha256');
  const mirrors = found.flatMap(({ table, lifetime_seconds }): Mirror[] => {
    const user = referenceTo(table, users);
    const isKnox = has(table, 'digest', 'created', 'expiry');
    if (user === undefined || !(isKnox || has(table, 'key', 'created'))) {
      faults.push(
        `tokens: expected "${toName(table)}" to have a foreign key to "${toName(users)}" and the columns of authtoken (key, created) or knox (digest, created, expiry).`,
      );
      return [];
    }
    if (isKnox && tokenHash === 'sha256')
      faults.push(
        `tokens: "${toName(table)}" holds SHA-512 hashes; expected token_hash to be sha512, or sha512-hex for knox before 5.0.`,
      );
    const ofLifetime =
      lifetime_seconds === undefined ? 'null::timestamptz' : `u.created + interval '${lifetime_seconds} seconds'`;
    const expires = isKnox ? `least(u.expiry, ${ofLifetime})` : ofLifetime;
    return [
      {
        table: 'auth_tokens',
        key: 'user_id',
        identity: ['token_hash'],
        values: {
          token_hash: isKnox ? "decode(u.digest, 'hex')" : hashes[tokenHash],
          user_id: `u.${quoteName(user)}::bigint`,
          created_at: 'u.created',
          expires_at: expires,
          issuer: quoteText(toName(table)),
        },
        from: `${quoteTable(table)} as u`,
        where: [toPresent(user)],
        mayRepeat: mayRepeat(table, [isKnox ? 'digest' : 'key']),
        scope: `issuer = ${quoteText(toName(table))}`,
        sources: [{ table, key: user, columns: isKnox ? ['digest', 'created', 'expiry'] : ['key', 'created'] }],
      },
    ];
  });
  return { mirrors, tokenHash };
}

export const findTokens = (tables: Table[]): string[] =>
  tables.filter(({ name }) => name === 'authtoken_token' || name === 'knox_authtoken').map(toName);

const noTokens = [
  'tokens: there is no table authtoken_token or knox_authtoken. A JSON Web Token (simplejwt) and a session are in no table that could be asked,',
  '  so whoever has one cannot be let in by it: add rest_framework.authtoken to INSTALLED_APPS beside it, `manage.py migrate`,',
  '  and give each client of this API a key: `manage.py drf_create_token <username>`.',
].join('\n');

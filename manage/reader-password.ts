import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';

/** Gives the role a new password, and returns it. */
export async function setPassword(db: Kysely<Database>, role: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  await sql`alter role ${sql.id(role)} password ${sql.lit(toVerifier(password))}`.execute(db);
  return password;
}

/** SCRAM-SHA-256 (RFC 5803), as PostgreSQL stores it: sent in place of the password, which a server may log. */
function toVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}

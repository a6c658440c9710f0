import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';

/** What the API reads, and nothing that is not here: neither a new table nor a new column. */
const readableColumns: { [Table in keyof Database]?: (keyof Database[Table])[] } = {
  users: [
    'id',
    'username',
    'mobile_number',
    'email',
    'is_email_verified',
    'avatar',
    'first_name',
    'last_name',
    'gender',
    'invited_by_id',
    'invite_code',
    'is_active',
    'is_staff',
    'is_admin',
    'is_profile_completed',
    'last_login',
    'created_at',
    'updated_at',
    'list_flags',
    'list_created_at',
    'list_updated_at',
    'list_last_login',
    'search_text',
  ],
  user_presence: ['user_id', 'last_seen_at'],
  groups: ['id', 'name'],
  user_groups: ['user_id', 'group_id'],
  group_permissions: ['group_id', 'permission_code'],
  user_permissions: ['user_id', 'permission_code'],
  auth_tokens: ['token_hash', 'user_id', 'expires_at'],
};

/** Less than the API's own limit (QUERY_TIMEOUT_MS, 5000): the server's word comes first, ends the statement and keeps the connection. */
const defaultTimeLimitMs = '4500';

/** For the planner, by measurement (bench/README.md). */
export const plannerSettings = {
  // A wide page, or one deep in the list, is estimated above jit_above_cost: compiling takes longer than all the rest.
  jit: 'off',
  // Starting worker processes takes longer than they save, and many requests come at a time.
  max_parallel_workers_per_gather: '0',
  // Of SSDs and memory. At the default, of disks, the table is read in place of the listing index where most users are listed.
  random_page_cost: '1.1',
};

/**
 * Makes the database role that the API uses, or brings it up to date: SELECT on what it reads, a time limit, read-only transactions,
 * settings for the planner.
 * It gets a new password, printed once, unless it has one already or IAM lets it in.
 */
export async function createReader(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      iam: { type: 'boolean', default: false },
      'new-password': { type: 'boolean', default: false },
      'time-limit-ms': { type: 'string', default: defaultTimeLimitMs },
    },
  });
  const role = readRole(positionals);
  const timeLimitMs = readTimeLimit(values['time-limit-ms']);
  if (values.iam && values['new-password']) throw new OperatorError('Give --iam or --new-password, not both.');

  return db.transaction().execute(async (trx) => {
    const isNew = !(await hasRole(trx, role));
    if (!isNew) await requireNoOwner(trx, role);
    if (isNew) await sql`create role ${sql.id(role)} login`.execute(trx);
    await grantReading(trx, role);
    await sql`alter role ${sql.id(role)} set default_transaction_read_only = on`.execute(trx);
    for (const [name, value] of Object.entries(plannerSettings)) {
      await sql`alter role ${sql.id(role)} set ${sql.id(name)} = ${sql.lit(value)}`.execute(trx);
    }
    await sql`alter role ${sql.id(role)} set statement_timeout = ${sql.lit(timeLimitMs)}`.execute(trx);
    const done = `${isNew ? 'created' : 'updated'} role ${role}: reads what the API reads, for ${timeLimitMs} ms a statement at most`;
    if (values.iam) return [done, await letInByIam(trx, role)];
    if (isNew || values['new-password']) return [done, `password: ${await setPassword(trx, role)}`];
    return [done];
  });
}

async function hasRole(db: Kysely<Database>, role: string): Promise<boolean> {
  const { rows } = await sql`select from pg_roles where rolname = ${role}`.execute(db);
  return rows.length > 0;
}

/** The role that migrates must not lose what it owns to a slip of the operator's. */
async function requireNoOwner(db: Kysely<Database>, role: string): Promise<void> {
  const { rows } = await sql`
    select from pg_roles where rolname = ${role} and (rolsuper or rolcreaterole or rolname = current_user
      or exists (select from pg_class where relowner = pg_roles.oid))`.execute(db);
  if (rows.length > 0) throw new OperatorError(`The role "${role}" does more than read. Choose another name.`);
}

async function grantReading(db: Kysely<Database>, role: string): Promise<void> {
  const reader = sql.id(role);
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  await sql`grant connect on database ${sql.id(rows[0]?.name ?? '')} to ${reader}`.execute(db);
  await sql`grant usage on schema public to ${reader}`.execute(db);
  await sql`grant execute on function search_fold(text), search_pattern(text) to ${reader}`.execute(db);
  // Takes back what an earlier version read, columns included.
  await sql`revoke all on all tables in schema public from ${reader}`.execute(db);
  for (const [table, columns] of Object.entries(readableColumns)) {
    await sql`grant select (${sql.join(columns.map((column) => sql.id(column)))}) on ${sql.table(table)} to ${reader}`.execute(
      db,
    );
  }
}

async function letInByIam(db: Kysely<Database>, role: string): Promise<string> {
  if (!(await hasRole(db, 'rds_iam'))) {
    throw new OperatorError('There is no role "rds_iam" here: IAM authentication is of RDS and Aurora.');
  }
  await sql`grant rds_iam to ${sql.id(role)}`.execute(db);
  return 'lets it in with a token of IAM: set DATABASE_IAM_AUTH=on';
}

async function setPassword(db: Kysely<Database>, role: string): Promise<string> {
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

function readRole(positionals: string[]): string {
  const [role = '', ...rest] = positionals;
  if (rest.length > 0 || !/^[a-z_][a-z0-9_]{0,62}$/.test(role)) {
    throw new OperatorError('Expected one name of a role: small letters, digits and underscores.');
  }
  return role;
}

function readTimeLimit(text: string): string {
  if (/^[1-9]\d{1,5}$/.test(text)) return text;
  throw new OperatorError('--time-limit-ms must be a whole number from 10 to 999999.');
}

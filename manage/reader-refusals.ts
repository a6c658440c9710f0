import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';

/** What a role may do, or has, that no grant takes back, and PostgreSQL hands on to nobody but who may SET ROLE to it. */
const powers = sql`lateral (values
  (1, rolsuper, 'is a superuser'),
  (2, rolcreaterole, 'may make roles'),
  (3, rolcreatedb, 'may make databases'),
  (4, rolreplication, 'may replicate all databases'),
  (5, rolbypassrls, 'passes by row security'),
  (6, rolname like 'pg\\_%', 'has rights on the whole server'), -- PostgreSQL's own roles alone are named so
  (7, exists (select from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = pg_roles.oid and deptype = 'o'),
    'owns tables or other objects')
) as powers (rank, is_held, power)`;

/** A role that PostgreSQL would not let in has been given no way in, or for a time: that is its maker's to change. */
export async function requireLogin(db: Kysely<Database>, role: string): Promise<void> {
  const { rows } = await sql<{ cause: string; remedy: string }>`
    select 'may not log in' as cause, format('alter role %I login', rolname) as remedy
    from pg_roles where rolname = ${role} and not rolcanlogin
    union all
    select format('has a password that ended at %s', rolvaliduntil), format('alter role %I valid until %L', rolname, 'infinity')
    from pg_roles where rolname = ${role} and rolvaliduntil < now()`.execute(db);
  const [refusal] = rows;
  if (!refusal) return;
  throw new OperatorError(
    `The role "${role}" ${refusal.cause}. To let the API in by it, whoever made it has to run:\n  ${refusal.remedy}`,
  );
}

/** The role that migrates must not lose what it owns to a slip of the operator's, nor the API have a role that is more than its own. */
export async function requireNoPower(db: Kysely<Database>, role: string): Promise<void> {
  const { rows } = await sql<{ power: string }>`
    select 'is the one that you run this as' as power, 0 as rank where ${role} in (current_user, session_user)
    union all
    select power, rank from pg_roles, ${powers} where rolname = ${role} and is_held
    order by rank limit 1`.execute(db);
  const [held] = rows;
  if (held) throw new OperatorError(`The role "${role}" does more than read. It ${held.power}. Choose another name.`);
}

/** Looked at is each role that it belongs to, inherited or not. */
export async function requireNoMightierRole(db: Kysely<Database>, role: string): Promise<void> {
  const { rows } = await sql<{ name: string; power: string }>`
    select rolname as name, power from pg_roles, ${powers}
    where rolname <> ${role} and pg_has_role(${role}::name, oid, 'MEMBER') and is_held
    order by rank, rolname limit 1`.execute(db);
  const [held] = rows;
  if (!held) return;
  throw new OperatorError(
    `The role "${role}" may become "${held.name}", which ${held.power}, and the API only reads. Take that back, or choose another role.`,
  );
}

/** From PostgreSQL 16 on, who may make roles may alter those alone that he made or was given. */
export async function requireAdmin(db: Kysely<Database>, role: string): Promise<void> {
  const { rows } = await sql<{ remedy: string }>`
    select format('grant %I to %I with admin option', ${role}::text, current_user) as remedy
    where current_setting('server_version_num')::int >= 160000
      and not pg_has_role(${role}::name, 'MEMBER WITH ADMIN OPTION')`.execute(db);
  const [missing] = rows;
  if (!missing) return;
  throw new OperatorError(
    `You may not alter or grant "${role}", which another role has made. First that one, or a superuser, has to run:\n  ${missing.remedy}`,
  );
}

import { type Kysely, sql } from 'kysely';

/** As `2026-02-21T07:20:25.338627Z`, `0044-03-15T00:00:00.000000Z BC` or `infinity`: exact, in UTC, whatever the session's settings. */
function toExactText(column: string): string {
  const pattern = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';
  const ofEra = `case when users.${column} < '0001-01-01Z' then '${pattern}" BC"' else '${pattern}' end`;
  return `coalesce(to_char(users.${column} at time zone 'UTC', ${ofEra}), users.${column}::text)`;
}

/**
 * What the API's role calls in place of reading the tables: their owner reads them, so that whoever has stolen the role reads no customer's
 * data and no token's hash. The bodies name each table by its schema, for nothing but pg_catalog is searched: in any other schema somebody may
 * have put a function or an operator that fits better than PostgreSQL's own, and it would run as the owner.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ schema: string }>`select quote_ident(current_schema()) as schema`.execute(db);
  const [{ schema }] = rows as [{ schema: string }];
  await createListDetails(db, schema);
  await createFindCaller(db, schema);
}

/** Whether the schema has been given another name since: the functions name the old one. */
export async function isOutdated(db: Kysely<unknown>): Promise<boolean> {
  const { rows } = await sql`
    select from pg_proc
    where pronamespace = quote_ident(current_schema())::regnamespace and proname = 'list_details'
      and strpos(prosrc, format('from %I.users ', current_schema())) = 0`.execute(db);
  return rows.length > 0;
}

/**
 * What the list shows of the users of a page, of listed ones alone. A function also because a connection keeps its plan: which users are on
 * the page is another statement with each request, and planning the rest each time took longer than running it. In PL/pgSQL, for PostgreSQL 17
 * and older plan functions in SQL with each call. The plan is always that of few users, each by the primary key: one that was made while few
 * were there would go on reading the table, or the index of an ordering, whole for each user of the page when many have come.
 */
async function createListDetails(db: Kysely<unknown>, schema: string): Promise<void> {
  const body = `
    #variable_conflict use_column
    begin
      return query
        select
          -- cast, so that a column may become varchar, or integer, under the function
          users.id::bigint, users.username::text, users.mobile_number::text, users.email::text, users.is_email_verified, users.avatar::text,
          users.first_name::text, users.last_name::text, users.gender::text, users.invite_code::text,
          users.is_active, users.is_staff, users.is_admin, users.is_profile_completed,
          ${toExactText('last_login')}, ${toExactText('created_at')}, ${toExactText('updated_at')},
          -- not the filter's "exists", for which PostgreSQL may read all who are online
          coalesce((select last_seen_at > online_since from ${schema}.user_presence where user_id = users.id), false),
          (select count(*) from ${schema}.users as invitee where invitee.invited_by_id = users.id),
          inviter.id::bigint, inviter.username::text, inviter.first_name::text, inviter.last_name::text,
          array(select group_id::bigint from ${schema}.user_groups where user_id = users.id order by group_id),
          -- of all groups of the page, once; joined for each user, a table of few rows would be read whole for each of them
          case when place = 1 then (
            select json_object_agg(groups.id, name) from ${schema}.groups
            where groups.id = any (array(select group_id from ${schema}.user_groups where user_id = any (ids))))
          end
        from unnest(ids) with ordinality as page (id, place)
          join ${schema}.users on users.id = page.id
          left join ${schema}.users as inviter on inviter.id = users.invited_by_id
        -- who is listed, spelled so that PostgreSQL takes no index of the listing for the primary key's
        where (users.list_flags is null) is not true
        order by place;
    end`;
  await sql`
    create or replace function list_details(ids bigint[], online_since timestamptz)
    returns table (
      id bigint, username text, mobile_number text, email text, is_email_verified boolean, avatar text, first_name text, last_name text,
      gender text, invite_code text, is_active boolean, is_staff boolean, is_admin boolean, is_profile_completed boolean,
      last_login text, created_at text, updated_at text, is_online boolean, invitees_count bigint,
      inviter_id bigint, inviter_username text, inviter_first_name text, inviter_last_name text, group_ids bigint[], group_names json)
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off
    as ${sql.lit(body)}`.execute(db);
  await closeToOthers(db, 'list_details(bigint[], timestamptz)');
  await sql`comment on function list_details is 'what the list shows of these users, in their order; group_names, by id, in the first row'`.execute(
    db,
  );
}

/** Who holds the token with this hash, if it has not ended, and which permissions they have, directly or through a group. */
async function createFindCaller(db: Kysely<unknown>, schema: string): Promise<void> {
  const body = `
    #variable_conflict use_column
    begin
      return query
        select users.id::bigint, users.is_active, users.is_staff, users.is_admin,
          array(
            select permission_code from ${schema}.user_permissions where user_id = users.id
            union all
            select permission_code from ${schema}.user_groups join ${schema}.group_permissions using (group_id) where user_id = users.id)
        from ${schema}.auth_tokens join ${schema}.users on users.id = auth_tokens.user_id
        where token_hash = hash and (expires_at is null or expires_at > now());
    end`;
  await sql`
    create or replace function find_caller(hash bytea)
    returns table (id bigint, is_active boolean, is_staff boolean, is_admin boolean, permissions integer[])
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp
    set enable_seqscan = off
    as ${sql.lit(body)}`.execute(db);
  await closeToOthers(db, 'find_caller(bytea)');
  await sql`comment on function find_caller is 'who holds the token with this SHA-256, if it has not ended'`.execute(
    db,
  );
}

/** For those alone to whom it is granted. */
async function closeToOthers(db: Kysely<unknown>, name: string): Promise<void> {
  await sql`revoke execute on function ${sql.raw(name)} from public`.execute(db);
}

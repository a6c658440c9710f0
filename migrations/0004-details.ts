import { type Kysely, sql } from 'kysely';

/** As `2026-02-21T07:20:25.338627Z`, `0044-03-15T00:00:00.000000Z BC` or `infinity`: exact, in UTC, whatever the session's settings. */
function toExactText(column: string): string {
  const pattern = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';
  const ofEra = `case when users.${column} < '0001-01-01Z' then '${pattern}" BC"' else '${pattern}' end`;
  return `coalesce(to_char(users.${column} at time zone 'UTC', ${ofEra}), users.${column}::text)`;
}

/**
 * What the list shows of the users of a page. A function, because a connection keeps its plan: which users are on the page is another
 * statement with each request, and planning the rest each time took longer than running it. In PL/pgSQL, for PostgreSQL 17 and older plan
 * functions in SQL with each call. The plan is always that of few users, each by its index: one that was made while the tables were all but
 * empty would go on reading them whole, for each user of the page, when they have been filled.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    create function list_details(ids bigint[], online_since timestamptz)
    returns table (
      id bigint, username text, mobile_number text, email text, is_email_verified boolean, avatar text, first_name text, last_name text,
      gender text, invite_code text, is_active boolean, is_staff boolean, is_admin boolean, is_profile_completed boolean,
      last_login text, created_at text, updated_at text, is_online boolean, invitees_count bigint,
      inviter_id bigint, inviter_username text, inviter_first_name text, inviter_last_name text, group_ids bigint[], group_names json)
    language plpgsql stable
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    as $details$
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
          coalesce((select last_seen_at > online_since from user_presence where user_id = users.id), false),
          (select count(*) from users as invitee where invitee.invited_by_id = users.id),
          inviter.id::bigint, inviter.username::text, inviter.first_name::text, inviter.last_name::text,
          array(select group_id::bigint from user_groups where user_id = users.id order by group_id),
          -- of all groups of the page, once; joined for each user, a table of few rows would be read whole for each of them
          case when place = 1 then (
            select json_object_agg(groups.id, name) from groups
            where groups.id = any (array(select group_id from user_groups where user_id = any (ids))))
          end
        from unnest(ids) with ordinality as page (id, place)
          join users on users.id = page.id
          left join users as inviter on inviter.id = users.invited_by_id
        where users.list_flags is not null
        order by place;
    end
    $details$`)
    .execute(db);
  await sql`comment on function list_details is 'what the list shows of these users, in their order; group_names, by id, in the first row'`.execute(
    db,
  );
}

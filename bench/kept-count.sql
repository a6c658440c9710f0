-- A count kept by triggers, as a counter row and as deltas, against the index's: what it costs those who write users. Run it with psql on a
-- copy of the data set small2k: create database kept template users_api_bench_small2k; the timings are psql's.
create table listed_count (n bigint not null); insert into listed_count select count(*) from users where list_flags is not null;
create table listed_delta (d int not null); insert into listed_delta select count(*) from users where list_flags is not null;
create function c_ins() returns trigger language plpgsql as $$ declare k bigint; begin select count(*) into k from new_rows where list_flags is not null; if k <> 0 then update listed_count set n = n + k; end if; return null; end $$;
create function d_ins() returns trigger language plpgsql as $$ declare k bigint; begin select count(*) into k from new_rows where list_flags is not null; if k <> 0 then insert into listed_delta values (k); end if; return null; end $$;
\timing on
\echo == none: 20000 inserts of customers, of staff, updates of last_login
begin; do $$ begin for i in 1..20000 loop insert into users(username) values ('n'||i); end loop; end $$; rollback;
begin; do $$ begin for i in 1..20000 loop insert into users(username,is_staff) values ('n'||i,true); end loop; end $$; rollback;
begin; do $$ begin for i in 1..20000 loop update users set last_login = now() where id = i; end loop; end $$; rollback;
create trigger t_ins after insert on users referencing new table as new_rows for each statement execute function c_ins();
\echo == counter row
begin; do $$ begin for i in 1..20000 loop insert into users(username) values ('n'||i); end loop; end $$; rollback;
begin; do $$ begin for i in 1..20000 loop insert into users(username,is_staff) values ('n'||i,true); end loop; end $$; rollback;
begin; do $$ begin for i in 1..20000 loop update users set last_login = now() where id = i; end loop; end $$; rollback;
drop trigger t_ins on users;
create trigger t_ins after insert on users referencing new table as new_rows for each statement execute function d_ins();
\echo == deltas
begin; do $$ begin for i in 1..20000 loop insert into users(username) values ('n'||i); end loop; end $$; rollback;
begin; do $$ begin for i in 1..20000 loop insert into users(username,is_staff) values ('n'||i,true); end loop; end $$; rollback;
drop trigger t_ins on users;
create function d_upd() returns trigger language plpgsql as $$ begin insert into listed_delta values (case when new.list_flags is null then -1 else 1 end); return null; end $$;
create trigger t_upd after update on users for each row when ((old.list_flags is null) <> (new.list_flags is null)) execute function d_upd();
\echo == update trigger with WHEN
begin; do $$ begin for i in 1..20000 loop update users set last_login = now() where id = i; end loop; end $$; rollback;
\echo == reading
select count(*) from users where list_flags is not null; select count(*) from users where list_flags is not null; select sum(d) from listed_delta; select sum(d) from listed_delta;

-- What helps the peer's own queries; bench/README.md has the figures. On the other columns are those that Django makes by itself: of
-- unique columns and of foreign keys.
create index peer_filters on users (is_active, gender, created_at, id) where is_staff or is_admin;
create index peer_last_login on users (last_login desc nulls last, id desc) where is_staff or is_admin;
create index peer_search on users using gin (
  upper(id::text) gin_trgm_ops, upper(username) gin_trgm_ops, upper(mobile_number) gin_trgm_ops,
  upper(email) gin_trgm_ops, upper(first_name) gin_trgm_ops, upper(last_name) gin_trgm_ops
) where is_staff or is_admin;

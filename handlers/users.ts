import { authenticate, permissions, requirePermission } from '../lib/auth.ts';
import { openDatabase } from '../lib/database.ts';
import { ok, route } from '../lib/http.ts';
import { toPage } from '../lib/page.ts';
import { knownNames } from '../lib/parameters.ts';
import { readSettings } from '../lib/settings.ts';
import { toUser } from '../lib/users/json.ts';
import { listUsers } from '../lib/users/list.ts';
import { parameters, readUserQuery } from '../lib/users/query.ts';

const path = '/api/users/';
const settings = readSettings(process.env);
const db = openDatabase(settings);

export const handler = route(path, settings, async (request) => {
  const { log } = request;
  const caller = await request.time('auth', () => authenticate(db, request.headers['authorization'], log));
  requirePermission(caller, permissions.viewUsers);
  log.parameters = knownNames(request.rawQuery, parameters);
  const query = readUserQuery(request.rawQuery);
  const { count, rows } = await request.time('db', () => listUsers(db, query, settings));
  log.count = count;
  log.rows = rows.length;
  if (settings.auditLog) log.shownUserIds = rows.map(({ id }) => id);
  const users = rows.map((row) => toUser(row, settings));
  return ok(toPage(request.baseUrl + path, query, count, users));
});

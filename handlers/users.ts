import { authenticate, permissions, requirePermission } from '../lib/auth.ts';
import { openDatabase } from '../lib/database.ts';
import { ok, route } from '../lib/http.ts';
import { toPage } from '../lib/page.ts';
import { readSettings } from '../lib/settings.ts';
import { toUser } from '../lib/users/json.ts';
import { listUsers } from '../lib/users/list.ts';
import { readUserQuery } from '../lib/users/query.ts';

const path = '/api/users/';
const settings = readSettings(process.env);
const db = openDatabase(settings);

export const handler = route(path, settings, async (request) => {
  const caller = await request.time('auth', () => authenticate(db, request.headers['authorization']));
  requirePermission(caller, permissions.viewUsers);
  const query = readUserQuery(request.rawQuery);
  const { count, rows } = await request.time('db', () => listUsers(db, query, settings));
  const users = rows.map((row) => toUser(row, settings));
  return ok(toPage(request.baseUrl + path, query, count, users));
});

import { authenticate, permissions, requirePermission } from '../lib/auth.ts';
import { openDatabase } from '../lib/database/database.ts';
import { chooseFormat } from '../lib/http/negotiation.ts';
import { csvFile, ok } from '../lib/http/responses.ts';
import { route } from '../lib/http/route.ts';
import { toJson, toLinks, toPage } from '../lib/page.ts';
import { knownNames } from '../lib/parameters.ts';
import { readSettings } from '../lib/settings.ts';
import { toCsv } from '../lib/users/csv.ts';
import { toUser } from '../lib/users/json.ts';
import { listUsers } from '../lib/users/list.ts';
import { isWholeExport, parameters, readUserQuery, requireWhole, toExport } from '../lib/users/query.ts';

const path = '/api/users/';
const settings = readSettings(process.env);
const db = openDatabase(settings);

export const handler = route([path], settings, async (request) => {
  const { log } = request;
  const caller = await request.time('auth', () => authenticate(db, request.headers['authorization'], log));
  requirePermission(caller, permissions.viewUsers);
  log.parameters = knownNames(request.rawQuery, parameters);
  const query = readUserQuery(request.rawQuery);
  const isExport = chooseFormat(query.format, request.headers['accept']) === 'csv';
  const list = await request.time('db', () => listUsers(db, isExport ? toExport(query) : query, settings));
  if (isExport) requireWhole(query, list);
  log.count = list.count;
  log.rows = list.rows.length;
  if (settings.auditLog) log.shownUserIds = list.rows.map(({ id }) => id);
  const users = list.rows.map((row) => toUser(row, list.groupNames, settings));
  const links = toLinks(request.baseUrl + path, query, list);
  if (!isExport) return ok(toJson(toPage(links, list.count, users)), links);
  return csvFile('users', await toCsv(users), isWholeExport(query) ? undefined : links);
});

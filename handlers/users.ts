import { authenticate, permissions, requirePermission } from '../lib/auth.ts';
import { openDatabase } from '../lib/database/database.ts';
import type { Format } from '../lib/http/negotiation.ts';
import { csvFile, ok } from '../lib/http/responses.ts';
import { route } from '../lib/http/route.ts';
import { type Links, toJson, toLinks, toPage } from '../lib/page.ts';
import type { Request, Response } from '../lib/request.ts';
import { readSettings } from '../lib/settings.ts';
import { eachUser, toUsers } from '../lib/users/json.ts';
import { listUsers, type UserList } from '../lib/users/list.ts';
import { readUserQuery, requireWhole, type UserQuery } from '../lib/users/query.ts';

const settings = readSettings(process.env);
const db = openDatabase(settings);

/** GET /api/users/ */
export const handler = route(['/api/users/'], settings, async (request) => {
  const caller = await request.time('auth', () => authenticate(db, request, settings));
  requirePermission(caller, permissions.viewUsers);
  const query = readUserQuery(request, settings);
  const list = await request.time('db', () => listUsers(db, query, request));
  return answers[query.format](request, query, list);
});

const answers: Record<Format, (request: Request, query: UserQuery, list: UserList) => Response | Promise<Response>> = {
  json(request, query, list) {
    const links = linksOf(request, query, list);
    return ok(toJson(toPage(links, list.count, toUsers(list, settings))), links);
  },
  async csv(request, query, list) {
    requireWhole(query, list);
    const { toCsv } = await import('../lib/users/csv.ts'); // here, so that a cold start of the list does not pay for it
    const csv = toCsv(eachUser(list, settings));
    return csvFile('users', csv, query.isWhole ? undefined : linksOf(request, query, list));
  },
};

const linksOf = ({ baseUrl, path }: Request, query: UserQuery, list: UserList): Links =>
  toLinks(baseUrl + path, query, list);

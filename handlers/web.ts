import { fileURLToPath } from 'node:url';
import { notFound } from '../lib/http/errors.ts';
import { file } from '../lib/http/responses.ts';
import { route } from '../lib/http/route.ts';
import { readSettings } from '../lib/settings.ts';
import { readContents, readPageFiles, toMediaOrigin, toPageHeaders } from '../web/files.ts';

const settings = readSettings(process.env);

// The bundle of this file lies beside the folder, this file does not.
const folder = fileURLToPath(new URL(import.meta.url.endsWith('.mjs') ? '../pages' : '../dist/pages', import.meta.url));

const files = settings.pages ? readPageFiles(folder) : {};
const mediaOrigin = toMediaOrigin(settings.mediaUrl);

/** The reference at `/api/docs/`, the console at `/api/console/`, what they load, and `/api/openapi.json`. No token: they hold no data. */
export const handler = route(Object.keys(files), settings, async (request) => {
  const found = files[request.path];
  if (!found) throw notFound();
  const { tag, body } = readContents(folder, found, { mediaOrigin, baseUrl: request.baseUrl });
  return file(request, tag, toPageHeaders(found, mediaOrigin), body);
});

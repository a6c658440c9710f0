import { existsSync, globSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { maxExport } from '../lib/users/query.ts';
import { hashOf, marks, type PageFile } from '../web/files.ts';
import { writeBuiltFile } from './built-file.ts';
import { readNotices } from './notices.ts';

const folder = 'dist/pages';

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

/** A page: a folder with index.html, which names its assets as `{{console.js}}`. */
type Page = { path: string; source: string; assets: Record<string, () => Promise<Asset>> };
/** With the files that it was made of. */
type Asset = { contents: string; sources: string[] };

/** Beside the reference, whose Swagger UI names it. */
const noticesName = 'third-party-notices.txt';

const pages: Page[] = [
  {
    path: '/api/docs/',
    source: 'web/reference',
    assets: {
      'swagger-ui.css': () => readSwaggerUi('swagger-ui.css'),
      'swagger-ui-bundle.js': () => readSwaggerUi('swagger-ui-bundle.js'),
      'reference.css': () => bundle('web/reference/reference.css'),
      'reference.js': () => bundle('web/reference/reference.ts'),
    },
  },
  {
    path: '/api/console/',
    source: 'web/console',
    assets: {
      'console.css': () => bundle('web/console/console.css'),
      'console.js': () => bundle('web/console/console.ts'),
    },
  },
];

/** Writes dist/pages: the files of the pages, compressed, and files.json, which tells the function `web` where each is served. */
export async function buildPages(): Promise<void> {
  const files: Record<string, PageFile> = {};
  const write = async (path: string, contents: string, { hashed = false } = {}) => {
    const file = toPageFile(path, contents, hashed);
    files[path] = file;
    // What a hashed name stands for never changes, and the best compression of the largest file takes seconds.
    if (!hashed || !existsSync(join(folder, `${file.name}.gz`))) await writeCompressed(file, contents);
  };
  await write('/api/openapi.json', await readServedDocument());
  const bundled: string[] = [];
  for (const { path, source, assets } of pages) {
    let html = await readFile(join(source, 'index.html'), 'utf8');
    for (const [name, read] of Object.entries(assets)) {
      const { contents, sources } = await read();
      bundled.push(...sources);
      const hashedName = name.replace(/\.\w+$/, `-${hashOf(contents)}$&`);
      html = html.replace(`{{${name}}}`, hashedName);
      await write(path + hashedName, contents, { hashed: true });
    }
    await write(path, html);
  }
  await write(`/api/docs/${noticesName}`, await readNotices(bundled, await readSwaggerUiNotices()));
  await writeBuiltFile(join(folder, 'files.json'), JSON.stringify(files));
  await removeEarlier(Object.values(files));
}

/** `/api/docs/` is served from api/docs/index.html. */
function toPageFile(path: string, contents: string, hashed: boolean): PageFile {
  const name = (path.endsWith('/') ? `${path}index.html` : path).replace(/^\//, '');
  const mediaType = mediaTypes[extname(name)] as string;
  const hasMarks = Object.values(marks).some((mark) => contents.includes(mark));
  return { name, mediaType, hash: hashOf(contents), hashed, hasMarks };
}

/** Only compressed, for the package's sake: whoever reads neither encoding gets it unpacked. */
async function writeCompressed({ name }: PageFile, contents: string): Promise<void> {
  const path = join(folder, name);
  await writeBuiltFile(`${path}.br`, brotliCompressSync(contents));
  await writeBuiltFile(`${path}.gz`, gzipSync(contents, { level: 9 }));
}

/** What an earlier build left, and this one does not make any more. */
async function removeEarlier(files: PageFile[]): Promise<void> {
  const built = new Set(files.flatMap(({ name }) => [`${name}.br`, `${name}.gz`]));
  for (const found of globSync('**/*.{br,gz}', { cwd: folder })) {
    if (!built.has(found)) await rm(join(folder, found), { force: true });
  }
}

const swaggerUi = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** Without its last line, which names a source map: none is served. Its first line names the licences of what it bundles. */
async function readSwaggerUi(name: string): Promise<Asset> {
  const path = join(swaggerUi, name);
  const contents = await readFile(path, 'utf8');
  return {
    contents: contents.replace(/\n\/[/*]# sourceMappingURL=.*/g, '').replace(`${name}.LICENSE.txt`, noticesName),
    sources: [path],
  };
}

/** What Swagger UI's publisher hands on with it, besides its licence. */
const readSwaggerUiNotices = (): Promise<string[]> =>
  Promise.all(['NOTICE', 'swagger-ui-bundle.js.LICENSE.txt'].map((name) => readFile(join(swaggerUi, name), 'utf8')));

async function bundle(entryPoint: string): Promise<Asset> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    minify: true,
    target: ['es2022', 'chrome117', 'firefox119', 'safari17.4'], // the first with Map.groupBy
    format: 'esm',
    legalComments: 'none',
    metafile: true,
    define: { documentedParameters: JSON.stringify(await readParameters()), maxExport: String(maxExport) },
    write: false,
  });
  return { contents: outputFiles[0]?.text as string, sources: Object.keys(metafile.inputs) };
}

/** The document, for clients of the server that it comes from. */
async function readServedDocument(): Promise<string> {
  const servers = [{ url: marks.baseUrl }];
  return JSON.stringify({ ...JSON.parse(await readFile('openapi.json', 'utf8')), servers });
}

/** The document's parameters of the list, from which the console makes its fields. */
async function readParameters(): Promise<unknown> {
  const { paths } = JSON.parse(await readFile('openapi.json', 'utf8'));
  return paths['/api/users/'].get.parameters;
}

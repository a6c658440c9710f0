import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const folders = ['handlers', 'lib', 'manage', 'migrations', 'openapi', 'web', 'scripts', 'bench', 'prove'];
const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`)).sort();

const lib = ['lib', 'lib/http', 'lib/database'];

/** Which folders a file of a folder may import from, itself included. Migrations import nothing, so that they say the same in a year. */
const downhill: Record<string, string[]> = {
  lib,
  'lib/http': lib,
  'lib/database': lib,
  'lib/users': [...lib, 'lib/users'],
  handlers: [...lib, 'lib/users', 'manage', 'web'],
  migrations: [],
  manage: [...lib, 'manage', 'manage/adopt', 'migrations'],
  'manage/adopt': [...lib, 'manage', 'manage/adopt', 'migrations'],
  openapi: [...lib, 'lib/users', 'openapi', '.'], // the version, of package.json
  web: lib,
  'web/console': ['lib', 'lib/users', 'web/console'], // types of the answers
  'web/reference': ['web/reference'],
  scripts: [
    ...lib,
    'lib/users',
    'manage',
    'manage/adopt',
    'openapi',
    'prove',
    'web',
    'scripts',
    'scripts/servers',
    'scripts/smoke',
    '.',
  ], // likewise
  'scripts/smoke': ['scripts/smoke'], // it asks what is deployed, and must not lean on its code
  'scripts/servers': ['scripts/servers'],
  prove: [...lib, 'lib/users', 'prove'],
  bench: [...lib, 'lib/users', 'handlers', 'manage', 'scripts/servers', 'bench'],
};

/** The code without its comments. */
const codeOf = (file: string): string => readFileSync(file, 'utf8').replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/[^\n]*)/gm, '');

/** The files of ours that a file imports. */
function importsOf(file: string): string[] {
  const specifiers = codeOf(file).matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*['"](\.[^'"]+)['"]/g);
  return [...specifiers].map(([, specifier]) => join(dirname(file), specifier as string));
}

test('the test sees the files and their imports', () => {
  expect(files).toContain('lib/http/route.ts');
  expect(importsOf('handlers/users.ts')).toContain('lib/users/query.ts');
  expect(importsOf('scripts/start.ts')).toContain('scripts/servers/local-database.ts'); // a dynamic one
});

describe.each(files)('%s', (file) => {
  test('imports downhill only, and what exists', () => {
    const allowed = downhill[dirname(file)];
    expect(allowed, 'a folder that the test does not know').toBeDefined();
    for (const imported of importsOf(file)) {
      expect(existsSync(imported), imported).toBe(true);
      expect(allowed, `imports ${imported}`).toContain(dirname(imported));
    }
  });
});

test('no file imports itself, by whatever detour', () => {
  const cycleFrom = (file: string, trail: string[]): string[] => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    return importsOf(file).flatMap((imported) => cycleFrom(imported, [...trail, file]));
  };
  for (const file of files) expect(cycleFrom(file, [])).toEqual([]);
});

/** A longer file holds more than one thing. Tests are lists, and may be longer; what is generated is nobody's to read. */
describe('the lines of a file', () => {
  const count = (file: string): number => readFileSync(file, 'utf8').trimEnd().split('\n').length;
  const sources = globSync(`{${folders},examples,clients,serverless}/**/*.{ts,cjs,mjs,css,html,py}`, {
    exclude: ['**/node_modules/**', 'examples/api.d.ts', 'clients/generated/**'],
  });

  test.each<[limit: number, within: RegExp]>([
    [130, /^(handlers|lib|manage|migrations)\//],
    [180, /./],
  ])('are at most %i in %s', (limit, within) => {
    const files = sources.filter((file) => within.test(file));
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => count(file) > limit)).toEqual([]);
  });
});

/** A word of one stage's vocabulary, and the only files that may say it. */
test.each<[word: RegExp, only: RegExp]>([
  [/\bprocess\.env\b/, /^(handlers|scripts|bench)\//],
  [/\bstatusCode\b/, /^(lib\/http\/gateway\.ts$|bench\/|scripts\/smoke\/)/],
  [
    /\b(rawPath|rawQueryString|requestContext|httpMethod)\b/,
    /^(lib\/http\/events\.ts$|prove\/access-log\.ts$|bench\/)/,
  ],
  [
    /\b(search_text|list_flags|last_login|invite_code)\b/,
    /^(lib\/(users\/|database\/tables\.ts$)|migrations\/|manage\/|bench\/|openapi\/|web\/console\/)/,
  ],
  [/\bconsole\.(log|error|warn|info)\b/, /^(lib\/log\.ts$|scripts\/|bench\/)/],
  // No server-side request forgery: what is deployed fetches nothing.
  [/\bfetch\(/, /^(prove|scripts|web\/(console|reference))\//],
  [/\bimport pg\b/, /^(lib\/database\/|manage\/database\.ts$|scripts\/|bench\/)/],
])('%s is said in %s alone', (word, only) => {
  const speakers = files.filter((file) => word.test(codeOf(file)));
  expect(speakers.length).toBeGreaterThan(0);
  expect(speakers.filter((file) => !only.test(file))).toEqual([]);
});

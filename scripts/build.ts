import { readdir, rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { buildPages } from './build-pages.ts';
import { readBuildVersion } from './build-version.ts';
import { writeBuiltFile } from './built-file.ts';
import { readNotices } from './notices.ts';

/**
 * Node.js's own modules, asked for by function. To `import` one loads all that it exports, whether used or not: of `fs` the promises, the
 * streams and a part of the REPL. And pg is CommonJS and calls `require`, which an ES module does not have.
 */
const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup({ onResolve, onLoad }) {
    const namespace = 'builtin';
    onResolve({ filter: /./ }, ({ path }) => (isBuiltin(path) ? { path, namespace } : undefined));
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** What pg loads only where it is asked for, which nobody does here: a client of libpq, and Cloudflare's sockets. */
const unusedModules: Plugin = {
  name: 'unused-modules',
  setup({ onResolve, onLoad }) {
    const namespace = 'unused';
    onResolve({ filter: /^(\.\/native|pg-cloudflare)$/ }, ({ path }) => ({ path, namespace }));
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in the bundle`)});`,
    }));
  },
};

const version = readBuildVersion('.', process.env);

/** Bundles a Lambda function into `dist/handlers/<name>.mjs`, which exports `handler`, and what it imports when needed into `dist/chunks/`. */
const bundle = (entryPoint: string) =>
  build({
    entryPoints: [join('handlers', entryPoint)],
    outdir: 'dist',
    outbase: '.',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none', // the licences are in a file of their own
    metafile: true,
    define: { BUILD_VERSION: JSON.stringify(version) },
    plugins: [builtinModules, unusedModules],
    write: false,
  });

// One at a time: together, esbuild would move what they share into chunks, and each cold start would load several files.
const entryPoints = await readdir('handlers');
const bundles = await Promise.all(entryPoints.map(bundle));
const outputFiles = bundles.flatMap((result) => result.outputFiles);

for (const { path, contents } of outputFiles) await writeBuiltFile(path, contents);

// One for all: each zip holds the chunks of every function.
const sources = bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs));
await writeBuiltFile('dist/THIRD-PARTY-NOTICES.txt', await readNotices(sources));

const built = new Set(outputFiles.map(({ path }) => basename(path)));
for (const folder of ['dist/handlers', 'dist/chunks']) {
  // What an earlier build left, and this one does not make any more.
  for (const file of await readdir(folder)) {
    if (!file.startsWith('.') && !built.has(file)) await rm(join(folder, file), { force: true });
  }
}

await buildPages();

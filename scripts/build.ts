import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

/** Bundles each Lambda function into `dist/handlers/<name>.mjs`, which exports `handler`. */
const { outputFiles } = await build({
  entryPoints: ['handlers/*.ts'],
  outdir: 'dist',
  outbase: '.',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  external: ['pg-native', '@aws-sdk/*'], // not installed, and part of Lambda's runtime
  // pg is CommonJS and calls require, which an ES module does not have.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  write: false,
});

await mkdir('dist/handlers', { recursive: true });
for (const { path, contents } of outputFiles) {
  // Renamed into place, so that an emulation that is running never reads half a file.
  const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}`);
  await writeFile(unfinished, contents);
  await rename(unfinished, path);
}
const built = outputFiles.map(({ path }) => basename(path));
for (const file of await readdir('dist/handlers')) {
  // What an earlier build left, and this one does not make any more.
  if (!file.startsWith('.') && !built.includes(file)) await rm(join('dist/handlers', file));
}

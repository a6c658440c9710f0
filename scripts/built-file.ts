import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Renamed into place, so that an emulation that is running never reads half a file; and left alone where it is so already, for a package that is being
 * made meanwhile gives up where a file becomes another one.
 */
export async function writeBuiltFile(path: string, contents: Uint8Array | string): Promise<void> {
  const written = await readFile(path).catch(() => undefined);
  if (written?.equals(Buffer.from(contents))) return;
  const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(unfinished, contents);
  await rename(unfinished, path);
}

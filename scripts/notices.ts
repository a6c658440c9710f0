import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeThirdPartyNotices } from '@rnx-kit/third-party-notices';

/** They have their licence in their README, not in a file of its own, which is all that the tool looks for. */
const licensedInReadme = ['pg-types', 'pgpass'];

/**
 * The licences, which are to go along with the code, of the packages that a bundle was made of: by its files, such as
 * `node_modules/pg/lib/client.js`. Other texts are added as they are.
 */
export async function readNotices(files: string[], others: string[] = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'users-api-notices-'));
  try {
    const [sourceMapFile, outputFile] = [join(folder, 'bundle.map'), join(folder, 'notices.txt')];
    // The tool reads the sources of a source map and nothing else of it.
    await writeFile(sourceMapFile, JSON.stringify({ sources: files }));
    const additionalText = [...(await readLicencesInReadmes(files)), ...others];
    await writeThirdPartyNotices({ rootPath: '.', sourceMapFile, outputFile, json: false, additionalText });
    return await readFile(outputFile, 'utf8');
  } finally {
    await rm(folder, { recursive: true });
  }
}

function readLicencesInReadmes(files: string[]): Promise<string[]> {
  const bundled = licensedInReadme.filter((name) => files.some((file) => file.startsWith(`node_modules/${name}/`)));
  return Promise.all(
    bundled.map(async (name) => {
      const readme = await readFile(`node_modules/${name}/README.md`, 'utf8');
      return `${name}\n--\n${readme
        .split(/^## license$/im)
        .at(-1)
        ?.trim()}\n`;
    }),
  );
}

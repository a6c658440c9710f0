// What the deployment workflow has to know of a stage, from its file, as GitHub reads outputs: `node scripts/stage.ts prod >> "$GITHUB_OUTPUT"`.
// `region=…`, `url=…` (empty where the stage says none) and `origins=…`, options for `npm run smoke`.
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const [stage = ''] = process.argv.slice(2);
const file = `serverless/params.${stage}.yml`;

try {
  const outputs = readStage();
  for (const [name, value] of Object.entries(outputs)) console.log(`${name}=${value}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

function readStage() {
  if (!existsSync(file)) throw new Error(`${file} is not there: \`git add --force\` it, without a secret in it.`);
  const { region, publicUrl, corsOrigins } = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const origins = split(corsOrigins).map(readUrl);
  const [url = ''] = split(publicUrl).map(readUrl);
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(String(region))) throw new Error(`${file}: region: Expected one, as eu-west-1.`);
  return { region, url, origins: origins.map((origin) => `--origin ${origin}`).join(' ') };
}

/** As serverless/stage.cjs has its lists. */
function split(value: unknown): string[] {
  const texts = [value].flat().flatMap((text) => String(text).split(','));
  return texts.map((text) => text.trim()).filter((text) => text !== 'none');
}

/** They become words of a command line, so nothing that a shell would take for more. */
function readUrl(text: string): string {
  if (!/^https:\/\/[\w.:/-]+$/.test(text))
    throw new Error(`${file}: Expected https://…, in letters of ASCII, or none: ${text}`);
  return text;
}

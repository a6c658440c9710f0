// Asks a deployed API what only a deployment can answer: `USERS_API_KEY=<key> npm run smoke -- https://api.example.com`. Status 1 if anything
// is not as it should be.
import { parseArgs } from 'node:util';
import { readBuildVersion } from './build-version.ts';
import { answers } from './smoke/answers.ts';
import { type Deployment, NoAnswer } from './smoke/deployment.ts';
import { transport } from './smoke/transport.ts';

const usage = `Usage: npm run smoke -- <url> [--build <X-Version>] [--origin <origin>]… [--timeout-seconds <number>]
  <url>               what clients call, with the stage or the key of an API mapping if there is one: https://api.example.com/v1
  --build             the build that is to answer, as X-Version has it; without it the one that this checkout makes
  --origin            an origin of the stage's corsOrigins, whose pages are let in, and no others'; may be repeated
  --timeout-seconds   how long an answer may take, 20 if not given: a cold start, and the longest request
The key of somebody who may read the list is taken from USERS_API_KEY.`;

class UsageError extends Error {}

const questions = [...answers, ...transport];

try {
  const deployment = readDeployment(process.argv.slice(2), process.env);
  process.exitCode = (await run(deployment)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function readDeployment(args: string[], environment: NodeJS.ProcessEnv): Deployment {
  const { values, positionals } = readArguments(args);
  const [url = ''] = positionals;
  if (positionals.length !== 1 || !/^https?:\/\/[^/?#]+[^?#]*$/.test(url) || !URL.canParse(url)) {
    throw new UsageError(`Expected one URL, without a query.\n${usage}`);
  }
  const key = environment['USERS_API_KEY']?.trim();
  if (!key) throw new UsageError(`Expected a key in the environment, as USERS_API_KEY.\n${usage}`);
  const timeoutSeconds = Number(values['timeout-seconds']);
  if (!(timeoutSeconds > 0)) throw new UsageError(`--timeout-seconds: Expected a number above 0.\n${usage}`);
  const base = url.replace(/\/+$/, '');
  return {
    base,
    basePath: new URL(base).pathname.replace(/\/$/, ''),
    key,
    build: values.build ?? readBuildVersion('.', environment),
    origins: values.origin,
    timeoutMs: 1000 * timeoutSeconds,
  };
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        build: { type: 'string' },
        origin: { type: 'string', multiple: true, default: [] },
        'timeout-seconds': { type: 'string', default: '20' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}

/** Prints a line a question, and what is wrong below it; whether nothing is. */
async function run(deployment: Deployment): Promise<boolean> {
  // Whatever answers may have the key in its text.
  const print = (text: string) => console.log(text.replaceAll(deployment.key, '<key>'));
  const said = new Set<string>();
  let failed = 0;
  for (const { name, ask } of questions) {
    try {
      const faults = await ask(deployment);
      print(`${faults.length === 0 ? 'ok  ' : 'FAIL'}  ${name}`);
      for (const { saw, usually } of faults) {
        print(`      ${saw}\n      Usually: ${said.has(usually) ? 'as above.' : usually}`);
        said.add(usually);
      }
      if (faults.length > 0) failed += 1;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      print(`FAIL  ${name}\n      ${error.message}\n      Nothing else was asked.`);
      return false;
    }
  }
  print(failed === 0 ? `All ${questions.length} are as they should be.` : `${failed} of ${questions.length} are not.`);
  return failed === 0;
}

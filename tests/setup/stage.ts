import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** A stage whose every parameter is an example. */
export const exampleStage = 'example';

/** Its parameters, as its file has them. */
export const stageParameters: Record<string, string> = Object.fromEntries(
  Array.from(
    readFileSync(`serverless/params.${exampleStage}.yml`, 'utf8').matchAll(/^(\w+): (.+)$/gm),
    ([, ...row]) => row,
  ),
);

export type Resources = Record<
  string,
  { Type: string; Properties: Record<string, unknown>; DependsOn?: string | string[] }
>;

type Template = { Resources: Resources; Outputs: object };

/** What serverless needs of the environment, without any credentials. */
export const toEnvironment = (folder: string): Record<string, string | undefined> => ({
  PATH: process.env['PATH'],
  HOME: folder,
  // Its validators take three seconds to make, and stand in the home otherwise.
  SLS_SCHEMA_CACHE_BASE_DIR: 'node_modules/.cache',
});

export const serverlessProgram = 'node_modules/serverless/bin/serverless.js';

/** `npm run package` into the folder. */
export function packageStage(
  folder: string,
  stage: string,
  parameters: Record<string, string> = {},
  environment: Record<string, string> = {},
) {
  const params = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
  return spawnSync(process.execPath, [serverlessProgram, 'package', '--package', folder, '--stage', stage, ...params], {
    encoding: 'utf8',
    env: { ...toEnvironment(folder), ...environment },
  });
}

/** The CloudFormation template that `packageStage` writes with the same arguments. */
export function readTemplate(...stage: Parameters<typeof packageStage>): Template {
  const { status, stdout, stderr } = packageStage(...stage);
  expect(status, stdout + stderr).toBe(0);
  return JSON.parse(readFileSync(join(stage[0], 'cloudformation-template-update-stack.json'), 'utf8'));
}

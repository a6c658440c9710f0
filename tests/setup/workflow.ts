import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';

type Step = { id?: string; name?: string; if?: string; uses?: string; run?: string; env?: Record<string, string> };
type Job = { if?: string; steps: Step[]; permissions?: object; environment?: Record<string, string> };

export type Workflow = { jobs: Record<string, Job>; [key: string]: unknown };

export const readWorkflow = (file: string): Workflow => parse(readFileSync(file, 'utf8'));

/** What expressions may speak of: `{ vars: { READER: 'users_api' } }`. */
type Contexts = Record<string, unknown>;

/** The value of an expression, without its `${{ }}`, by GitHub's own evaluator. */
export function evaluate(expression: string, contexts: Contexts, hasFailed = false): string {
  const status = { success: !hasFailed, failure: hasFailed };
  const functions = Object.entries(status).map(([name, is]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(is),
  }));
  const parsed = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), functions).parse();
  const known = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  return new Evaluator(parsed, known, new Map(functions.map((each) => [each.name, each]))).evaluate().coerceString();
}

const fill = (text: string, contexts: Contexts): string =>
  text.replace(/\$\{\{(.+?)\}\}/g, (_, expression: string) => evaluate(expression.trim(), contexts));

export type Run = {
  /** The names of the steps that failed. */
  failed: string[];
  /** `aws lambda wait …`, of each program that is played, in their order. */
  calls: string[];
  output: string;
};

/**
 * Runs the steps of a job that are commands, as the runner does, in a folder with these files. `programs` are played, by lines of bash each. What
 * actions do is left out.
 */
export function runJob(
  { steps }: Job,
  {
    env,
    programs,
    files,
    ...contexts
  }: Contexts & {
    env: Record<string, string>;
    programs: Record<string, string>;
    files: Record<string, string>;
  },
): Run {
  const folder = mkdtempSync(join(tmpdir(), 'users-api-workflow-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [calls, outputs] = [join(folder, 'calls'), join(folder, 'outputs')];
  writeFileSync(calls, '');
  for (const name of ['node_modules', 'scripts']) symlinkSync(resolve(name), join(folder, name));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const [name, lines] of Object.entries(programs)) {
    const file = join(folder, 'bin', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/bash\necho "${name} $*" >> '${calls}'\n${lines}\n`);
    chmodSync(file, 0o755);
  }
  const known: Record<string, { outputs: Record<string, string>; outcome: string }> = {};
  const run: Run = { failed: [], calls: [], output: '' };
  for (const step of steps) {
    const hasFailed = run.failed.length > 0;
    const all = { ...contexts, env, steps: known };
    const condition = step.if ?? 'success()';
    // As the runner does: a condition that says nothing of it is for the case that all went well.
    const isDue = evaluate(
      /\b(success|failure)\(/.test(condition) ? condition : `success() && (${condition})`,
      all,
      hasFailed,
    );
    if (isDue !== 'true') continue;
    writeFileSync(outputs, '');
    const own = Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value, all)]);
    const { status, stdout, stderr } = step.run
      ? spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
          cwd: folder,
          encoding: 'utf8',
          env: {
            PATH: `${folder}/bin:${process.env['PATH']}`,
            GITHUB_OUTPUT: outputs,
            ...env,
            ...Object.fromEntries(own),
          },
        })
      : { status: 0, stdout: '', stderr: '' };
    run.output += stdout + stderr;
    if (status !== 0) run.failed.push(step.name ?? step.run ?? '');
    const lines = readFileSync(outputs, 'utf8').matchAll(/^(\w+)=(.*)$/gm);
    const read = Object.fromEntries(Array.from(lines, ([, name, value]) => [name, value]));
    if (step.id) known[step.id] = { outputs: read, outcome: status === 0 ? 'success' : 'failure' };
  }
  run.calls = readFileSync(calls, 'utf8').split('\n').filter(Boolean);
  return run;
}

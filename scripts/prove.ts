import { SingleBar } from 'cli-progress';
import { readOptions, usage } from '../prove/options.ts';
import { ProveError } from '../prove/prove-error.ts';
import { prove } from '../prove/run.ts';
import { toText } from '../prove/table.ts';

const args = process.argv.slice(2);
if (args.length === 0 || args.includes('--help')) console.log(usage);
else {
  try {
    process.exitCode = await run();
  } catch (error) {
    if (!(error instanceof ProveError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

/** The exit status: 0 proved, 1 not, 2 not at its end. */
async function run(): Promise<number> {
  const options = readOptions(args, process.env);
  const bar = new SingleBar({
    format: '{bar} {value} of {total} queries, {eta_formatted} to go',
    // Where nobody watches, a line now and then.
    noTTYOutput: true,
    notTTYSchedule: 30_000,
  });
  const stopping = new AbortController();
  // The queries that were sent are waited for; a second time ends at once.
  process.once('SIGINT', () => stopping.abort());
  process.once('SIGTERM', () => stopping.abort());
  const report = await prove(options, {
    signal: stopping.signal,
    onProgress(done, of) {
      if (done === 1) bar.start(of, 0);
      bar.update(done);
    },
  });
  bar.stop();
  for (const line of toText(report)) console.log(line);
  console.log(`The report is in ${options.out}.html and ${options.out}.json.`);
  if (!report.isComplete) return 2;
  return report.isProved ? 0 : 1;
}

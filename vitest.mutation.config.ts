import { configDefaults, mergeConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import config from './vitest.config.ts';

/** What killed the mutant before, which is often of the same line; then the quickest. The first failure ends a run. */
class KillersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const failed = new Set(files.filter((file) => this.ctx.cache.getTestSpecificationResult(file)?.failed));
    const slowestLast = (await super.sort(files)).reverse();
    return [...slowestLast.filter((file) => failed.has(file)), ...slowestLast.filter((file) => !failed.has(file))];
  }
}

export default mergeConfig(config, {
  test: {
    exclude: [
      ...configDefaults.exclude,
      // They look at programs that they start, at files or at times: not at mutants, or at too few for what they take.
      'tests/{clients,examples,export-memory,far-times,faults-load,migrations,node-versions}.test.ts',
      'tests/{console-*,pages-browser,plans,poolers}.test.ts',
      'tests/{postgres-server,reader-others,schema,schemas,scripts,search-locales,start}.test.ts',
      'tests/{standbys,structure,template,walk,workflows}.test.ts',
    ],
    // Loaded by the first export, its constants would count as what that one test covers.
    setupFiles: ['lib/users/csv.ts'],
    sequence: { sequencer: KillersFirst },
  },
});

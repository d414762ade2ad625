import { defineConfig } from 'vitest/config';
import stryker from './stryker.config.json' with { type: 'json' };

/** Runs the unit tests of the mutated files and no others: a mutant has to fall to the tests of its own file. */
export default defineConfig({
  test: {
    include: stryker.mutate.map((file) => file.replace('src/upstream/', 'test/unit/').replace('.ts', '.test.ts')),
  },
});

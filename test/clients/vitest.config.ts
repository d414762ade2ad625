import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The facade is run from its source, with its own graphql; the clients bring theirs. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('../../node_modules/graphql/index.js')) },
    ],
  },
  test: {
    include: ['test/clients/**/*.test.ts'],
    environment: 'node',
    expect: { poll: { timeout: 5_000 } },
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The facade is run from its source, with its own graphql; the gateways bring theirs. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('../../node_modules/graphql/index.js')) },
    ],
  },
  test: {
    include: ['test/gateway/**/*.test.ts'],
    environment: 'node',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Apollo's gateway would report to its maker, and ask around for the cloud that it runs in.
    env: { APOLLO_TELEMETRY_DISABLED: 'true' },
  },
});

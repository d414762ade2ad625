import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { TableReporter } from './table-reporter.ts';

/** The facade is run from its source, with its own graphql; the clients bring theirs. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('../../node_modules/graphql/index.js')) },
    ],
  },
  test: {
    // The gateways fill their rows of the table.
    include: ['test/clients/**/*.test.ts', 'test/gateway/clients-of-gateways.test.ts'],
    environment: 'node',
    reporters: ['default', new TableReporter()],
    expect: { poll: { timeout: 5_000 } },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Apollo's gateway would report to its maker, and ask around for the cloud that it runs in.
    env: { APOLLO_TELEMETRY_DISABLED: 'true' },
  },
});

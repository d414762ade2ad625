import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Pothos and Yoga load graphql's CommonJS file; a test that imported the ES module would hold a second copy of every class.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }] },
  test: {
    // On a busy machine the program under test takes its time.
    expect: { poll: { timeout: 60_000 } },
    include: ['test/**/*.test.ts'],
    environment: 'node',
    setupFiles: ['test/support/property-runs.ts'],
    // So does a computation of ten seconds, where four of them share a core.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // The limits under test are real-time windows of a loopback server: more workers than cores only make them late.
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text', 'json-summary'] },
  },
});

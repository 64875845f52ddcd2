import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What applications log is in the way here; tests that are about it give loggers. */
process.env['MILLRACE_LOG'] ??= 'silent';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests against a real broker, which is started for them unless `KAFKA_BROKERS` names one. */
export default defineConfig({
  root: here('../..'),
  resolve: {
    alias: [
      { find: /^millrace$/, replacement: here('../../src/index.ts') },
      { find: /^millrace\/testing$/, replacement: here('../../src/testing/index.ts') },
      { find: /^millrace\/embedded$/, replacement: here('../../src/transports/embedded/index.ts') },
      { find: /^millrace\/kafka$/, replacement: here('../../src/transports/kafka/index.ts') },
    ],
  },
  test: {
    name: 'kafka',
    include: ['test/kafka/**/*.kafka.ts'],
    globalSetup: [here('./global-setup.ts')],
    setupFiles: [here('../seed.setup.ts')],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});

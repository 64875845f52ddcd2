import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What applications log is in the way here; tests that are about it give loggers. */
process.env['MILLRACE_LOG'] ??= 'silent';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests import the package by its public names, and get its sources: no build needed, and stack traces point there. */
const resolve = {
  alias: [
    { find: /^millrace$/, replacement: here('./src/index.ts') },
    { find: /^millrace\/testing$/, replacement: here('./src/testing/index.ts') },
    { find: /^millrace\/testing\/fast-check$/, replacement: here('./src/testing/fast-check/index.ts') },
    { find: /^millrace\/testing\/models$/, replacement: here('./src/testing/models/index.ts') },
    { find: /^millrace\/opentelemetry$/, replacement: here('./src/opentelemetry/index.ts') },
    { find: /^millrace\/embedded$/, replacement: here('./src/transports/embedded/index.ts') },
  ],
};

/** Folders of `test` with a project of their own; the rest of it is the project `integration`. */
const ownProject = ['test/docs/**', 'test/examples/**', 'test/package/**'];

const setupFiles = [here('./test/seed.setup.ts')];

export default defineConfig({
  test: {
    projects: [
      { resolve, test: { name: 'unit', include: ['src/**/*.test.ts'], exclude: ['**/*.prop.test.ts'] } },
      { resolve, test: { name: 'prop', include: ['src/**/*.prop.test.ts'], testTimeout: 60_000, setupFiles } },
      {
        resolve,
        test: {
          name: 'types',
          include: [],
          typecheck: { enabled: true, only: true, include: ['src/**/*.test-d.ts', 'test/**/*.test-d.ts'] },
        },
      },
      {
        resolve,
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: ownProject,
          setupFiles,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        test: {
          name: 'examples',
          include: ['examples/**/*.test.ts', 'test/examples/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      // The programs of the documents run in a folder of their own, which needs a process, not a thread.
      { resolve, test: { name: 'docs', include: ['test/docs/**/*.test.ts'], pool: 'forks', testTimeout: 60_000 } },
      { test: { name: 'package', include: ['test/package/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
  },
});

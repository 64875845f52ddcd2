import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const alias = [
  { find: /^millrace$/, replacement: here('./src/index.ts') },
  { find: /^millrace\/testing$/, replacement: here('./src/testing/index.ts') },
  { find: /^millrace\/embedded$/, replacement: here('./src/transports/embedded/index.ts') },
];

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: { name: 'unit', include: ['src/**/*.test.ts'], exclude: ['**/*.prop.test.ts'] },
      },
      { resolve: { alias }, test: { name: 'prop', include: ['src/**/*.prop.test.ts'], testTimeout: 60_000 } },
      {
        resolve: { alias },
        test: {
          name: 'types',
          include: [],
          typecheck: { enabled: true, only: true, include: ['src/**/*.test-d.ts', 'test/**/*.test-d.ts'] },
        },
      },
      {
        resolve: { alias },
        test: { name: 'integration', include: ['test/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 60_000 },
      },
    ],
  },
});

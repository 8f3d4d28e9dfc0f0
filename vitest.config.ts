// The test suites. Unit tests are beside the source; those that take long are named *.slow.test.ts
// and have a project of their own, so that `npm run test:unit` is quick. The integration suite uses
// a real Temporal server and runs apart from the others, one file at a time, since its runs load
// the machine.

import { configDefaults, defineConfig } from 'vitest/config';

const quick = {
  pool: 'forks',
  testTimeout: 30_000,
  hookTimeout: 60_000,
  sequence: { groupOrder: 0 },
} as const;

/** Unit tests that train, attack the sandboxes, start Python often, or rebuild committed data. */
const slow = '{src,tools}/**/*.slow.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...quick,
          name: 'unit',
          include: ['{bin,src,tools,bench}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, slow],
        },
      },
      {
        test: {
          ...quick,
          name: 'slow',
          include: [slow, 'test/examples/*.test.ts'],
          testTimeout: 120_000,
        },
      },
      { test: { ...quick, name: 'parity', include: ['test/parity/**/*.test.ts'] } },
      { test: { ...quick, name: 'replay', include: ['test/replay/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/{integration,package}/**/*.test.ts'],
          globalSetup: 'test/integration/temporal-binary.ts',
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

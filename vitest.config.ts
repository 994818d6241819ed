import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** What every project of tests shares. Forks, not threads: tests start children, change the umask and count descriptors. */
const shared = {
  pool: 'forks',
  testTimeout: 30_000,
  hookTimeout: 30_000,
} as const

/** Most tests wait for processes and sockets more than they compute; on two cores vitest would run one file at a time. */
const maxWorkers = Math.max(2, availableParallelism() - 1)

export default defineConfig({
  test: {
    maxWorkers,
    projects: [
      {
        test: {
          ...shared,
          name: 'postern',
          setupFiles: ['packages/postern/test/leak-check.ts'],
          include: ['packages/postern/src/**/*.test.ts', 'packages/postern/test/**/*.test.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'examples',
          include: ['examples/**/*.test.ts', 'bench/**/*.test.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/postern/{src,test}/**/*.test-d.ts'],
            tsconfig: 'packages/postern/tsconfig.test.json',
            // Type errors elsewhere are found by `npm run types`; here they would fail tests that have none.
            ignoreSourceErrors: true,
          },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/postern/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.test-d.ts', 'packages/postern/src/testing/**'],
      reporter: ['text-summary', 'html'],
      reportsDirectory: 'coverage',
    },
  },
})

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // Child processes run compiled JavaScript, so `dist/` is built once before the first test.
    globalSetup: ['test/shell/build-dist.ts'],
    setupFiles: ['test/fuzz-seed.ts'],
    // A forked process for each file: native model sessions and child processes do not share a process.
    pool: 'forks',
    // Tests start real servers, cameras and models: more at once than this and they starve each other.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    env: { NO_COLOR: '1' },
  },
});

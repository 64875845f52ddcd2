/** What benchmarks load of `build-bench` that the package does not export; `scripts/bundle.ts` makes a file of each. */
export const internals = [
  'protocol/batch-builder.js',
  'protocol/batch-decoder.js',
  'protocol/compression.js',
  'protocol/crc32c.js',
  'runtime/app/app-metrics.js',
  'runtime/task/task.js',
  'runtime/task/task-turn.js',
  'plan/topology.js',
  'state/memory-backend.js',
  'dataflow/clock.js',
  'transports/local/fetched-rows.js',
] as const;

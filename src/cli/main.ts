#!/usr/bin/env node
import { createRequire } from 'node:module';
import { processOutput } from './output.ts';
import { main } from './program.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
const stop = new AbortController();
let interrupted = false;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (interrupted) process.exit(code);
    interrupted = true;
    stop.abort();
  });
}
process.exitCode = await main(
  process.argv.slice(2),
  {
    output: processOutput(process, process.argv.includes('--raw'), () => stop.abort()),
    env: process.env,
    input: process.stdin,
    signal: stop.signal,
    now: () => Date.now(),
  },
  version,
);

#!/usr/bin/env node
import { createRequire } from 'node:module';
import { readConfig, withConfig } from './config.ts';
import { exitCodeOf } from './exit.ts';
import { explain } from './explain.ts';
import { processOutput } from './output.ts';
import { parentOf } from './parent.ts';
import { main } from './program.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
const stop = new AbortController();
let signalled: number | undefined;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (signalled !== undefined) process.exit(code);
    signalled = code;
    stop.abort();
  });
}
const parent = parentOf(process, () => stop.abort());
const output = processOutput(process, process.argv.includes('--raw'), () => stop.abort());
try {
  const config = readConfig(process.cwd());
  process.exitCode = await main(
    process.argv.slice(2),
    {
      output,
      env: withConfig(process.env, config),
      ownEnv: process.env,
      ...(config === undefined ? {} : { config }),
      input: process.stdin,
      signal: stop.signal,
      signalled: () => signalled,
      ...(parent === undefined ? {} : { parent }),
      now: () => Date.now(),
    },
    version,
  );
} catch (error) {
  // The project file is invalid.
  output.say(explain(error, process.argv.includes('--debug')));
  process.exitCode = exitCodeOf(error);
}
// The command is done. Resources that a user's file has left open (a timer, a connection) must not keep the process
// alive; output on its way to a slow reader must.
setInterval(() => {
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
}, 500).unref();

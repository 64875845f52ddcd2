/**
 * An AbortSignal for Ctrl-C and SIGTERM. The first one asks the example to stop cleanly; a second one ends the process at
 * once. The next run continues from the last commit in both cases.
 */
export function interruptSignal(): AbortSignal {
  const abort = new AbortController();
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(code);
      abort.abort(new Error(`stopped by ${name}`));
    });
  }
  return abort.signal;
}

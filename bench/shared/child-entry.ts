import type { Call } from './child.ts';

let done = false;
// Whoever asked has gone, or has its answer.
process.once('disconnect', () => process.exit(done ? 0 : 1));

process.once('message', (message) => {
  const { given, module, work } = message as Call;
  void (async () => {
    const loaded = (await import(module)) as Record<string, (...given: readonly unknown[]) => unknown>;
    const value = await loaded[work]?.(...given);
    done = true;
    process.send?.({ value }, undefined, undefined, () => process.disconnect());
  })();
});

import type { Call } from './child.ts';

process.once('message', (message) => {
  const { given, module, work } = message as Call;
  void (async () => {
    const loaded = (await import(module)) as Record<string, (...given: readonly unknown[]) => unknown>;
    const value = await loaded[work]?.(...given);
    process.send?.({ value }, undefined, undefined, () => process.disconnect());
  })();
});

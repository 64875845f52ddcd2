import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { onAbort } from './abort.ts';
import { pause, systemClock } from './clock.ts';

it('calls all who wait, once, with one listener', () => {
  const { signal, ...controller } = spy();
  const called: number[] = [];
  const cancels = Array.from({ length: 20 }, (_, n) => onAbort(signal, () => void called.push(n)));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  cancels[7]?.();
  controller.abort();
  controller.abort();
  cancels[8]?.();
  expect(called).toEqual(Array.from({ length: 20 }, (_, n) => n).filter((n) => n !== 7));
});

it('lets many pauses wait for one signal', async () => {
  const { signal, ...controller } = spy();
  const pauses = Array.from({ length: 30 }, () => pause(systemClock, 1_000_000, signal));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  controller.abort();
  await Promise.all(pauses);
  await pause(systemClock, 1_000_000, signal);
});

function spy(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

import type { Clock } from '../dataflow/clock.ts';
import type { InputOrigin } from '../dataflow/task-context.ts';
import { rawRecord } from './decode.ts';
import type { TaskLog } from './transport.ts';

/** How long the log may take to return an existing record, in ms. */
const LIMIT_MS = 30_000;

/** Reads one record by its offset; `undefined` if it is gone or cannot be read now. */
export async function recordAt(
  log: Pick<TaskLog, 'fetcher'>,
  clock: Clock,
  topic: string,
  partition: number,
  offset: number,
): Promise<InputOrigin | undefined> {
  let wake: () => void = () => undefined;
  const fetcher = log.fetcher({ onReady: () => wake() });
  const deadline = clock.monotonic() + LIMIT_MS;
  try {
    fetcher.assign(topic, partition, offset);
    while (clock.monotonic() < deadline) {
      const ready = new Promise<void>((resolve) => (wake = resolve));
      const batch = fetcher.poll(topic, partition);
      if (batch !== undefined) {
        for (let at = 0; at < batch.count; at += 1) {
          if (batch.baseOffset + (batch.offsetDelta[at] as number) === offset)
            return rawRecord(batch, at, topic, partition);
        }
        return undefined;
      }
      const cancel = clock.after(LIMIT_MS, () => wake());
      await ready;
      cancel();
    }
    return undefined;
  } catch {
    // A dead letter without the record is still better than none.
    return undefined;
  } finally {
    await fetcher.close();
  }
}

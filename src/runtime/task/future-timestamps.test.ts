import { describe, expect, it } from 'vitest';
import {
  agg,
  json,
  memoryTransport,
  type RecordPolicy,
  run,
  string,
  to,
  topic,
  tumbling,
  windowBy,
} from '../../index.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { MemoryLog } from '../../transports/memory/index.ts';

const events = topic('events', { key: string(), value: json<number>(), partitions: 1 });
const counts = topic('counts', { key: string(), value: json<number>() });
const pipeline = events.pipe(windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 's' }), to(counts));

function logWith(timestamps: readonly number[]): MemoryLog {
  const log = new MemoryLog();
  log.create('events', { partitions: 1 });
  const batch = new RecordBatchBuilder();
  for (const timestamp of timestamps) batch.append(timestamp, 'a', '1', []);
  log.append([log.prepare({ topic: 'events', partition: 0 }, batch)]);
  return log;
}

describe('a timestamp in the far future', () => {
  const minute = 60_000;
  const start = Date.now() - (Date.now() % minute) - 10 * minute;
  const bogus = Date.now() + 2 * 3_600_000;
  const options = (log: MemoryLog, onRecordError: RecordPolicy) =>
    ({ applicationId: 'app', transport: memoryTransport(log), until: 'end', onRecordError }) as const;

  it('goes to the record policy and moves no time', async () => {
    const log = logWith([start, bogus, start + 1]);
    const app = run(pipeline, options(log, 'skip'));
    await app.done;
    const { errors, late, openWindows } = app.snapshot();
    expect({ errors, late, openWindows }).toEqual({ errors: 1, late: 0, openWindows: 1 });
  });

  it('fails by default, naming the record', async () => {
    const app = run(pipeline, options(logWith([start, bogus]), 'fail'));
    await expect(app.done).rejects.toMatchObject({ code: 'ERR_FUTURE_TIMESTAMP', topic: 'events', offset: 1 });
  });

  it('is taken where the application says so', async () => {
    const log = logWith([start, bogus, start + 1]);
    const app = run(pipeline, { ...options(log, 'fail'), maxFutureSkew: 'unlimited' });
    await app.done;
    expect(app.snapshot()).toMatchObject({ errors: 0, late: 1 });
  });
});

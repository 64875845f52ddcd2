import { connect, deadLetter, json, mapRecord, nullable, type RecordPolicy, run, string, to, topic } from 'millrace';
import { describe, expect, inject, it } from 'vitest';
import { failure, unique } from '../contract/support.ts';

interface Line {
  readonly key: string | null;
  readonly value: string;
  readonly timestamp?: number;
}

const decoder = new TextDecoder();

/** Copies lines to a topic that refuses two of them, and tells what is there after it. */
async function copy(guarantee: 'at-least-once' | 'exactly-once', policy: (letters: string) => RecordPolicy) {
  const brokers = inject('brokers');
  const applicationId = unique('refused');
  const client = await connect({ brokers });
  const source = topic(`${applicationId}-lines`, { key: string(), value: json<Line>(), partitions: 1 });
  const target = topic(`${applicationId}-target`, { key: nullable(string()), value: string() });
  await client.topics.create(target, { partitions: 1, config: { cleanup: 'compact' } });
  const lines = Array.from({ length: 20 }, (_, i): Line => ({ key: `k${i}`, value: `v${i}` }));
  lines[7] = { key: 'k7', value: 'v7', timestamp: Date.now() + 7_200_000 };
  lines[11] = { key: null, value: 'v11' };
  await client.publishAll(
    source,
    lines.map((value) => ({ key: 'x', value })),
  );
  const letters = `${applicationId}-letters`;
  const pipeline = source.pipe(
    mapRecord(({ timestamp, value }) => ({
      key: value.key,
      value: value.value,
      timestamp: value.timestamp ?? timestamp,
    })),
    to(target),
  );
  const app = run(pipeline, {
    applicationId,
    brokers,
    until: 'end',
    onRecordError: policy(letters),
    kafka: { guarantee },
  });
  const outcome = await app.done.then(
    () => undefined,
    (error: unknown) => error,
  );
  const written: string[] = [];
  for await (const { value } of client.records(target, { from: 'earliest', until: 'end' })) written.push(value);
  const put: { readonly value: string; readonly headers: Record<string, string> }[] = [];
  if ((await client.topics.describe(letters)) !== undefined) {
    for await (const { headers, value } of client.records(topic(letters, { value: json<Line>() }), {
      from: 'earliest',
      until: 'end',
    })) {
      const texts = headers.map(([name, bytes]) => [name, decoder.decode(bytes ?? new Uint8Array())]);
      put.push({ value: value.value, headers: Object.fromEntries(texts) as Record<string, string> });
    }
  }
  await client.close();
  const sound = lines.map(({ value }) => value).filter((value) => value !== 'v7' && value !== 'v11');
  return { app, outcome, written, put, sound, source: source.use.name };
}

describe.each(['at-least-once', 'exactly-once'] as const)('outputs that a broker refuses, %s', (guarantee) => {
  it('are skipped where the policy says so, and the others of their batch are written once', async () => {
    const { app, outcome, sound, written } = await copy(guarantee, () => 'skip');
    expect(outcome).toBeUndefined();
    expect(written).toEqual(sound);
    expect(app.snapshot()).toMatchObject({ restarts: 0 });
  });

  it('are put aside with the input record that they came from', async () => {
    const { outcome, put, sound, source, written } = await copy(guarantee, deadLetter);
    expect(outcome).toBeUndefined();
    expect(written).toEqual(sound);
    expect(put.map(({ headers, value }) => [value, headers['millrace.origin.offset']])).toEqual([
      ['v7', '7'],
      ['v11', '11'],
    ]);
    expect(put[0]!.headers).toMatchObject({
      'millrace.origin.topic': source,
      'millrace.error.code': expect.stringMatching(/^ERR_KAFKA_INVALID_/) as string,
    });
  });

  it('end the application with the place of their input record where the policy is to fail', async () => {
    const { outcome, source } = await copy(guarantee, () => 'fail');
    const error = await failure('ERR_KAFKA_INVALID_TIMESTAMP', Promise.reject(outcome));
    expect(error).toMatchObject({ errorClass: 'record', topic: source, partition: 0, offset: 7 });
  });
});

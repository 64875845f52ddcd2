import { batch, debounceByKey, dedupe, json, type StreamRecord, string, throttleByKey, to, topic } from 'millrace';
import type { Observable } from 'rxjs';
import { any, type Picture, type Put, type Result, text } from './picture.ts';

const readings = topic('readings', { key: string(), value: json<number>() });
const rows = topic('rows', { key: string(), value: json<number | readonly number[]>() });

const at = (timestamp: number): Put => ({ into: any(readings), key: 'cellar', value: timestamp, timestamp });
const shown = ({ value }: { readonly value: unknown }): string => text(value);

const result = (label: string, stream: Observable<StreamRecord<string, number | readonly number[]>>): Result => ({
  label,
  pipeline: stream.pipe(to(rows)),
  from: any(rows),
  show: shown,
});

export const pacing: Readonly<Record<string, Picture>> = {
  pacing: {
    show: shown,
    records: [0, 4, 9, 10, 15, 40, 44].map(at),
    ends: true,
    results: [
      result('dedupe 10', readings.pipe(dedupe({ within: '10ms', grace: '0ms', store: 'seen' }))),
      result("throttle 10 'first'", readings.pipe(throttleByKey('10ms', { grace: '0ms', store: 'calm' }))),
      result("throttle 10 'last'", readings.pipe(throttleByKey('10ms', { grace: '0ms', store: 'calm', take: 'last' }))),
      result('debounce 10', readings.pipe(debounceByKey('10ms', { grace: '0ms', store: 'moving' }))),
      result('batch of 3', readings.pipe(batch({ count: 3, within: '20ms', store: 'batch' }))),
    ],
  },
};

import { Buffer } from 'node:buffer';
import { type Input, type Json, numberOf, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { joined } from './join.ts';

/** A stream joined with the rows that a table had at the time of its records (JT-3, JT-4, SS-3): keeps all that was written. */
export function asOfJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const left = textOf(params, 'type') === 'left';
  const history = numberOf(params, 'historyRetention');
  const grace = 'grace' in params ? numberOf(params, 'grace') : undefined;
  const written: Input[] = [];
  let tableTime = -1;
  let streamTime = -1;
  let held: Input[] = [];
  let dropped = 0;

  const rowAt = (key: string, time: number): Json => {
    const versions = written.filter((input) => input.key === key);
    const newest = Math.max(-1, ...versions.map(({ timestamp }) => timestamp));
    if (newest > time && time < tableTime - history) return null;
    const last = Math.max(-1, ...versions.map(({ timestamp }) => timestamp).filter((timestamp) => timestamp <= time));
    return versions.findLast(({ timestamp }) => timestamp === last)?.value ?? null;
  };
  const join = ({ key, timestamp, value }: Input): Row[] =>
    joined({ key, value, timestamp }, key === null ? null : rowAt(key, timestamp), left);

  const steps = inputs.map((input): Row[] => {
    const { key, timestamp, topic, value } = input;
    if (topic === 'table') {
      if (key !== null) tableTime = Math.max(tableTime, timestamp);
      if (key === null || timestamp < tableTime - history) dropped += 1;
      else written.push(input);
      return [];
    }
    if (value === null || (key === null && !left)) {
      dropped += 1;
      return [];
    }
    if (key === null || grace === undefined) return join(input);
    streamTime = Math.max(streamTime, timestamp);
    const until = streamTime - grace;
    if (timestamp <= until) return join(input);
    const free = [...held, input].filter((each) => each.timestamp <= until);
    held = [...held, input].filter((each) => each.timestamp > until);
    const byKey = (one: Input, other: Input): number =>
      Buffer.compare(Buffer.from(one.key as string), Buffer.from(other.key as string));
    return free.sort((one, other) => one.timestamp - other.timestamp || byKey(one, other)).flatMap(join);
  });
  return { steps, dropped };
}

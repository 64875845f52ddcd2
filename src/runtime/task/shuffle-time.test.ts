import { describe, expect, it } from 'vitest';
import { type ShuffleWriter, stageNumber } from '../../plan/shuffles.ts';
import type { Stage } from '../../plan/stages.ts';
import { decodeAnnouncement, encodeAnnouncement } from '../../protocol/time-announcement.ts';
import { ShuffleTime } from './shuffle-time.ts';

const UP = Number.POSITIVE_INFINITY;
const number = stageNumber('app', 'source');
const writer = (tasks: number, alone = false): ShuffleWriter => ({
  stage: { name: 'source' } as Stage,
  number,
  tasks,
  follows: 'input',
  alone,
});

function following(tasks: number, heard?: string, alone = false) {
  const topics = new Map([['shuffle', [writer(tasks, alone)]]]);
  const time = new ShuffleTime(topics, new Map(heard === undefined ? [] : [['shuffle', heard]]));
  const hear = (partition: number, at: number, caughtUp = false, stage = number): number => {
    time.hear('shuffle', encodeAnnouncement({ stage, tasks: [{ partition, time: at, caughtUp }] }));
    return time.limit;
  };
  return { time, hear };
}

describe('time behind a shuffle', () => {
  it('goes no further than the task that is least far, and nowhere before all were heard of', () => {
    const { hear, time } = following(2);
    expect(time.limit).toBe(-1);
    expect(hear(0, 500)).toBe(-1);
    expect(time.risen).toBe(false);
    expect(hear(1, 200)).toBe(200);
    expect(time.risen).toBe(true);
    expect(hear(1, 900)).toBe(500);
  });

  it('is that of the records when all have read their inputs to the end', () => {
    const { hear } = following(2);
    hear(0, 500, true);
    expect(hear(1, 200)).toBe(200);
    expect(hear(1, 300, true)).toBe(UP);
    expect(hear(0, 500), 'one has fallen behind').toBe(500);
  });

  it('is that of the records where one task writes them all, which says to others how far it is', () => {
    const { hear, time } = following(1, undefined, true);
    expect([time.limit, time.reached]).toEqual([UP, -1]);
    hear(0, 500);
    expect([time.limit, time.reached, time.risen]).toEqual([UP, 500, false]);
    expect(time.slowest()).toBeUndefined();
    hear(0, 500, true);
    expect(time.reached).toBe(UP);
  });

  it('is not changed by what is heard again, nor by others', () => {
    const { hear } = following(2);
    hear(0, 500);
    hear(1, 700);
    expect(hear(0, 100)).toBe(500);
    expect(hear(7, 100)).toBe(500);
    expect(hear(0, 900, false, stageNumber('other', 'source'))).toBe(500);
  });

  it('goes on from what it was, also with more partitions', () => {
    const { hear, time } = following(7);
    for (let partition = 0; partition < 7; partition += 1) hear(partition, 100 + partition, partition % 3 !== 0);
    const again = following(7, time.describe('shuffle'));
    expect(again.time.limit).toBe(100);
    again.hear(0, 1000);
    again.hear(3, 1000);
    expect(again.time.limit).toBe(100);
    expect(again.hear(6, 400)).toBe(400);
    expect(following(8, time.describe('shuffle')).time.limit).toBe(-1);
    expect(following(3).time.describe('other')).toBeUndefined();
  });

  it('is announced in a few bytes', () => {
    const tasks = [
      { partition: 0, time: -1, caughtUp: false },
      { partition: 70_000, time: Number.MAX_SAFE_INTEGER, caughtUp: true },
    ];
    const bytes = encodeAnnouncement({ stage: number, tasks });
    expect(bytes).toHaveLength(30);
    expect(decodeAnnouncement(bytes)).toEqual({ stage: number, tasks });
    expect(decodeAnnouncement(Uint8Array.of(9, ...bytes.subarray(1)))).toBeUndefined();
  });
});

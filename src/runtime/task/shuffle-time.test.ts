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

function following(tasks: number, heard?: string, alone = false, epoch = () => 0) {
  const topics = new Map([['shuffle', [writer(tasks, alone)]]]);
  const time = new ShuffleTime(topics, new Map(heard === undefined ? [] : [['shuffle', heard]]), epoch);
  const hear = (partition: number, at: number, caughtUp = false, stage = number, said = 0): number => {
    time.hear('shuffle', encodeAnnouncement({ stage, epoch: said, tasks: [{ partition, time: at, caughtUp }] }));
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

  describe('when tasks are assigned to processes again', () => {
    const [before, now, anew] = [0x5_0007, 0x5_0008, 0x9_0001];
    /** Two tasks that had read everything in the generation before. */
    function ended(epoch = () => now) {
      const followed = following(2, undefined, false, epoch);
      const say = (partition: number, at: number, caughtUp: boolean, said: number): number =>
        followed.hear(partition, at, caughtUp, number, said);
      say(0, 50, true, before);
      say(1, 50, true, before);
      return { ...followed, say };
    }

    it('waits for those that had read their inputs to the end, from the first word of the new generation on', () => {
      const { say, time } = ended();
      expect(time.limit).toBe(UP);
      expect(say(0, 60, false, now)).toBe(-1);
      expect(say(0, 90, true, now)).toBe(-1);
      expect(time.slowest()).toBe('the time of task source/1, which has not been heard of yet');
      expect(say(1, 55, false, now)).toBe(55);
      expect(say(1, 95, true, now)).toBe(UP);
    });

    it('believes what was said of time by those that were behind', () => {
      const { say } = ended();
      say(0, 60, false, before);
      say(1, 70, false, before);
      expect(say(1, 70, false, now)).toBe(60);
      expect(say(1, 90, true, now)).toBe(-1);
      expect(say(0, 65, false, now)).toBe(65);
    });

    it('goes on when all have spoken, in whatever order they learn of it, and where the group counts from 1 again', () => {
      let own = now;
      const { say } = ended(() => own);
      say(0, 60, true, now);
      say(1, 50, false, before);
      expect(say(1, 60, true, before)).toBe(-1);
      expect(say(1, 60, true, now)).toBe(UP);
      // Its tasks belong to the new life, or to nobody.
      own = anew;
      expect(say(1, 60, true, anew)).toBe(-1);
      expect(say(0, 60, true, anew)).toBe(UP);
    });

    it('does not change by what one says late that had the task before', () => {
      const { say, time } = ended();
      say(0, 60, true, now);
      expect(say(1, 60, true, now)).toBe(UP);
      expect(say(0, 50, false, before)).toBe(UP);
      expect(say(1, 900, true, 0x5_ffff), 'the count had passed its end').toBe(UP);
      const again = following(2, time.describe('shuffle'), false, () => now);
      expect(again.hear(0, 50, false, number, before)).toBe(UP);
      expect(again.hear(0, 50, false, number, now), 'its own owner').toBe(50);
    });

    it('does not change by what comes late from an earlier life of the group, which has been heard of', () => {
      const { say, time } = ended(() => anew);
      say(0, 60, false, anew);
      const again = following(2, time.describe('shuffle'), false, () => anew);
      for (const hear of [
        say,
        (...[partition, at, caughtUp, said]: Parameters<typeof say>) =>
          again.hear(partition, at, caughtUp, number, said),
      ]) {
        expect(hear(1, 60, true, before)).toBe(-1);
        expect(hear(1, 65, true, anew)).toBe(60);
        expect(hear(1, 50, false, before)).toBe(60);
        expect(hear(0, 90, true, anew)).toBe(UP);
        expect(hear(0, 90, true, before)).toBe(UP);
      }
    });

    it('believes its own generation, whatever was heard of others', () => {
      const { say, time } = ended(() => anew);
      expect(say(0, 60, false, 0x5_0009), 'a generation that was not heard of yet').toBe(-1);
      expect(time.slowest()).toBe('the time of task source/0, which has not been heard of yet');
      say(0, 70, true, anew);
      expect(say(1, 60, true, anew)).toBe(UP);
    });

    it('does not change by what comes late from another life of the group, of which nothing was heard before', () => {
      const { hear } = following(2, undefined, false, () => anew);
      const say = (partition: number, caughtUp: boolean, said: number): number =>
        hear(partition, 60, caughtUp, number, said);
      say(0, true, anew);
      expect(say(1, true, anew)).toBe(UP);
      expect(say(0, true, before), 'written in doubt by a process that has ended').toBe(UP);
      expect(say(0, false, now)).toBe(UP);
      expect(say(0, false, anew)).toBe(60);
    });

    it('says itself that all is read only by what was said in its own generation', () => {
      let own = before;
      const { say, time } = ended(() => own);
      expect(time.reached).toBe(UP);
      own = now;
      expect([time.limit, time.reached]).toEqual([UP, -1]);
      say(0, 60, true, now);
      say(1, 60, true, now);
      expect(time.reached).toBe(UP);
    });

    it('remembers who has spoken', () => {
      const { say, time } = ended();
      say(0, 60, true, now);
      const again = following(2, time.describe('shuffle'), false, () => now);
      expect(again.time.limit).toBe(-1);
      expect(again.hear(1, 60, true, number, now)).toBe(UP);
      expect(again.time.reached).toBe(UP);
      const old = following(2, `${number.toString(36)}:a:3:2`);
      expect(old.time.limit, 'as an earlier version has kept it').toBe(UP);
      expect(old.hear(0, 60, true, number, now)).toBe(-1);
    });

    it('holds for all inputs of a task together', () => {
      const other = stageNumber('app', 'other');
      const writers = [number, other].map((each) => ({ ...writer(1), number: each }));
      const time = new ShuffleTime(
        new Map([
          ['one', [writers[0]!]],
          ['two', [writers[1]!]],
        ]),
        new Map(),
      );
      const say = (topic: string, stage: number, epoch: number, caughtUp = true): number => {
        time.hear(topic, encodeAnnouncement({ stage, epoch, tasks: [{ partition: 0, time: 5, caughtUp }] }));
        return time.limit;
      };
      say('one', number, before);
      expect(say('two', other, before)).toBe(UP);
      expect(say('two', other, now)).toBe(-1);
      expect(say('one', number, now, false)).toBe(5);
      expect(say('one', number, now)).toBe(UP);
    });

    it('does not wait for a stage that has no tasks', () => {
      expect(following(0).time.limit).toBe(UP);
      expect(following(0).time.reached).toBe(UP);
    });
  });

  it('is announced in a few bytes', () => {
    const tasks = [
      { partition: 0, time: -1, caughtUp: false },
      { partition: 70_000, time: Number.MAX_SAFE_INTEGER, caughtUp: true },
    ];
    const bytes = encodeAnnouncement({ stage: number, epoch: 4_000_000_000, tasks });
    expect(bytes).toHaveLength(34);
    expect(decodeAnnouncement(bytes)).toEqual({ stage: number, epoch: 4_000_000_000, tasks });
    expect(decodeAnnouncement(bytes.subarray(0, 30)), 'as before').toEqual({ stage: number, epoch: 0, tasks });
    expect(decodeAnnouncement(Uint8Array.of(9, ...bytes.subarray(1)))).toBeUndefined();
  });
});

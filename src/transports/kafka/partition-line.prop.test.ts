import { array, boolean, assert as check, constantFrom, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { peekBatchHeader } from '../../protocol/batch-decoder.ts';
import { PartitionLine, type QueuedBatch, queuedBatch } from './partition-line.ts';
import { SEQUENCES, sequenceAfter } from './stamp-producer.ts';

const me = { producerId: 7n, producerEpoch: 1 };

function batchOf(count: number): QueuedBatch {
  const records = new RecordBatchBuilder();
  for (let i = 0; i < count; i++) records.append(i, null, 'x', []);
  const ends = { deadline: Number.POSITIVE_INFINITY, resolve: () => undefined, reject: () => undefined };
  return queuedBatch({ topic: 't', partition: 0, bytes: records.finish(), count }, ends);
}

/** A partition on a broker: it takes batches in sequence, the first with any number, and knows the last five again. */
class Log {
  readonly batches: QueuedBatch[] = [];
  #last: { readonly sequence: number; readonly count: number }[] = [];
  #next: number | undefined;

  append(batch: QueuedBatch): 'written' | 'duplicate' | 'out of order' {
    const header = peekBatchHeader(batch.bytes, 0);
    if (header?.baseSequence !== batch.sequence)
      throw new Error(`stamped ${header?.baseSequence}, not ${batch.sequence}`);
    if (this.#last.some(({ sequence, count }) => sequence === batch.sequence && count === batch.count))
      return 'duplicate';
    if (this.#next !== undefined && batch.sequence !== this.#next) return 'out of order';
    this.batches.push(batch);
    this.#next = sequenceAfter(batch.sequence, batch.count);
    this.#last = [...this.#last.slice(-4), { sequence: batch.sequence, count: batch.count }];
    return 'written';
  }
}

const step = record({
  /** Which of the batches under way is answered next. */
  pick: nat(4),
  fate: constantFrom('wait', 'wait', 'answered', 'answered', 'answered', 'lost before', 'lost after', 'refused'),
  add: boolean(),
});

describe('a partition line', () => {
  it('writes each batch once and in order, whatever answers are lost, also where the sequence begins again', () => {
    check(
      property(
        array(integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
        array(step, { maxLength: 60 }),
        integer({ min: 0, max: 40 }),
        (counts, steps, beforeWrap) => {
          const first = (SEQUENCES - beforeWrap) % SEQUENCES;
          const line = new PartitionLine('t', 0);
          line.identify(me, first);
          const log = new Log();
          const todo = counts.map(batchOf);
          const given = [...todo];
          const done = new Set<QueuedBatch>();
          const flying: QueuedBatch[] = [];
          const advance = (pick: number, fate: string): void => {
            while (line.isReady(Number.POSITIVE_INFINITY - 1)) flying.push(line.take(me));
            if (fate === 'wait') return;
            // In any order, which is worse than what connections do.
            const batch = flying.splice(pick % Math.max(flying.length, 1), 1)[0];
            if (batch === undefined) return;
            if (fate === 'lost before') return line.failed(batch, true);
            if (fate === 'refused') return line.failed(batch, false);
            const answer = log.append(batch);
            if (fate === 'lost after') return line.failed(batch, true);
            if (answer === 'out of order') return line.failed(batch, false);
            done.add(batch);
            line.acknowledged(batch);
          };
          for (const { pick, fate, add } of steps) {
            const next = add ? todo.shift() : undefined;
            if (next !== undefined) line.add(next);
            advance(pick, fate);
          }
          for (const batch of todo.splice(0)) line.add(batch);
          for (let i = 0; i < 500 && done.size < given.length; i++) advance(0, 'answered');
          expect(log.batches).toEqual(given);
          expect(done.size).toBe(given.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

import type { Mutant, Seeds } from './mutant.ts';

const line = {
  file: 'src/transports/kafka/partition-line.prop.test.ts',
  test: 'writes each batch once and in order, whatever answers are lost, also where the sequence begins again',
};
const committed = {
  file: 'src/transports/kafka/aborted-filter.prop.test.ts',
  test: 'shows exactly those of committed transactions, in pieces of any size, and ends at the end',
};

/** Worlds in which requests of producers go wrong, and others leave transactions open. */
const seeds: Seeds = { on: 'kafka', from: 1, count: 300 };

/** Faults of what speaks to Kafka, found without a broker. */
export const kafkaMutants: readonly Mutant[] = [
  {
    name: 'failed-behind-others-forgotten',
    fault: 'a closed sender forgets batches that had failed while others of their partition were in flight',
    file: 'src/transports/kafka/batch-sender.ts',
    text: 'if (this.#closed !== undefined) return this.#dropAll(this.#closed);',
    instead: 'if (this.#closed !== undefined) return;',
    caughtBy: [
      {
        file: 'src/transports/kafka/batch-sender.test.ts',
        test: 'gives up what has failed while others of its partition were in flight, when it is closed',
      },
      {
        file: 'test/simulation/simulation.test.ts',
        test: 'does not stand still where a transaction is given up whose batches had failed behind others in flight (800074181)',
      },
    ],
  },
  {
    name: 'read-committed-off',
    fault: 'records of aborted transactions are read',
    file: 'src/transports/kafka/aborted-filter.ts',
    text: 'return header.transactional && !header.control && this.#open.has(header.producerId);',
    instead: 'return false;',
    caughtBy: [committed],
    seeds,
  },
  {
    name: 'aborted-without-end',
    fault: 'after an aborted transaction nothing of its producer is read any more',
    file: 'src/transports/kafka/aborted-filter.ts',
    text: 'this.#open.delete(producerId);',
    instead: '',
    caughtBy: [committed],
    seeds,
  },
  {
    name: 'aborted-by-order-of-answer',
    fault: 'aborted transactions are taken in the order in which the broker names them',
    file: 'src/transports/kafka/aborted-filter.ts',
    text: '[...aborted].sort((a, b) => b.firstOffset - a.firstOffset)',
    instead: '[...aborted]',
    caughtBy: [
      {
        file: 'src/transports/kafka/aborted-filter.prop.test.ts',
        test: 'does not depend on the order in which the broker names aborted transactions',
      },
    ],
    seeds,
  },
  {
    name: 'read-beyond-the-stable-end',
    fault: 'who reads committed records is told of an end behind open transactions',
    file: 'src/transports/kafka/fetch-position.ts',
    text: 'const end = this.committed ? answer.lastStableOffset : answer.highWatermark;',
    instead: 'const end = answer.highWatermark;',
    caughtBy: [
      {
        file: 'src/transports/kafka/fetch-position.test.ts',
        test: 'ends for readers of committed records before what open transactions hold back, and for others at the end of the log',
      },
    ],
    seeds,
  },
  {
    name: 'records-below-the-position',
    fault: 'a fetch that begins inside a batch gives the records before it too',
    file: 'src/transports/kafka/fetch-position.ts',
    text: 'const below = recordsBelow(batch.offsetDelta, batch.baseOffset, this.#delivered);',
    instead: 'const below = 0;',
    caughtBy: [committed],
  },
  {
    name: 'doubt-with-another-number',
    fault: 'a batch that may be in the log is sent again under another sequence number',
    file: 'src/transports/kafka/partition-line.ts',
    text: 'if (!batch.uncertain) batch.sequence = this.#nextSequence;',
    instead: 'batch.sequence = this.#nextSequence;',
    caughtBy: [line],
    seeds,
  },
  {
    name: 'producer-reused-after-doubt',
    fault: 'a producer goes on whose batch was given up and may still arrive',
    file: 'src/transports/kafka/partition-line.ts',
    text: 'if (batch.uncertain) this.renew();',
    instead: '',
    caughtBy: [
      {
        file: 'src/transports/kafka/batch-sender.test.ts',
        test: 'takes no batch for written because another one came late under its number',
      },
      {
        file: 'src/transports/kafka/partition-line.test.ts',
        test: 'leaves its number to no other one: the line needs another producer first',
      },
    ],
    seeds,
  },
  {
    name: 'dropped-in-doubt',
    fault: 'a producer goes on although the time of a batch is over that may be in the log',
    file: 'src/transports/kafka/partition-line.ts',
    text: `if (dropped.some((batch) => batch.uncertain)) this.renew();
    else if`,
    instead: 'if',
    caughtBy: [
      {
        file: 'src/transports/kafka/partition-line.test.ts',
        test: 'does so when its time is over while it waits',
      },
    ],
    seeds,
  },
  {
    name: 'commit-without-its-outputs',
    fault: 'a commit goes on although outputs before it could not be handed over',
    file: 'src/transports/kafka/session.ts',
    text: 'const before: readonly Promise<unknown>[] = [...this.#preparing];',
    instead: 'const before: readonly Promise<unknown>[] = [];',
    caughtBy: [
      {
        file: 'src/transports/kafka/session.test.ts',
        test: 'commits nothing behind outputs that could not be handed over, whenever that shows',
      },
    ],
  },
  {
    name: 'outputs-overtake-a-failure',
    fault: 'at least once, outputs are written although others before them could not be handed over',
    file: 'src/transports/kafka/session.ts',
    text: 'const earlier: readonly Promise<unknown>[] = [...this.#preparing];',
    instead: 'const earlier: readonly Promise<unknown>[] = [];',
    caughtBy: [
      {
        file: 'src/transports/kafka/session.test.ts',
        test: 'hands over nothing behind outputs that could not be handed over: it would be read before them',
      },
    ],
    seeds: { on: 'kafka', from: 3_058_890, count: 1 },
  },
  {
    name: 'epoch-reused-after-doubt',
    fault: 'after a transaction with a request whose answer was lost the next one has the same epoch',
    file: 'src/transports/kafka/transactional-writer.ts',
    text: 'if (this.#doubtful || this.#sender.doubtful) await this.#renew();',
    instead: '',
    caughtBy: [
      {
        file: 'src/transports/kafka/transactional-writer.test.ts',
        test: 'goes on in another epoch when a request of it had no answer',
      },
    ],
    seeds,
  },
  {
    name: 'sent-again-in-disorder',
    fault: 'batches that failed are sent again behind those that waited',
    file: 'src/transports/kafka/partition-line.ts',
    text: 'this.#waiting.unshift(...this.#failed.sort((a, b) => a.order - b.order));',
    instead: 'this.#waiting.push(...this.#failed.sort((a, b) => a.order - b.order));',
    caughtBy: [line],
    seeds,
  },
  {
    name: 'gap-in-the-sequence',
    fault: 'a number that was left free is used while a batch with the next one may still arrive',
    file: 'src/transports/kafka/partition-line.ts',
    text: 'if (ahead > 0) return this.renew();',
    instead: '',
    caughtBy: [
      {
        file: 'src/transports/kafka/partition-line.test.ts',
        test: 'are not used by parts of the batch before it: the line needs another producer first',
      },
    ],
  },
  {
    name: 'sequence-without-end',
    fault: 'sequence numbers do not begin again',
    file: 'src/transports/kafka/stamp-producer.ts',
    text: '(sequence + count) % SEQUENCES',
    instead: '(sequence + count)',
    caughtBy: [line],
  },
  {
    name: 'offsets-of-a-stale-generation',
    fault: 'offsets are committed for work of a generation whose tasks were lost while the coordinator was asked',
    file: 'src/transports/kafka/commit-as-member.ts',
    text: `    await member.confirm(generation);
    member.check(generation);`,
    instead: '    await member.confirm(generation);',
    caughtBy: [
      {
        file: 'src/transports/kafka/commit-as-member.test.ts',
        test: 'commits nothing when the member has lost tasks while it asked',
      },
    ],
  },
  {
    name: 'offsets-before-outputs',
    fault: 'at least once, offsets are committed before the outputs are acknowledged',
    file: 'src/transports/kafka/at-least-once.ts',
    text: 'await Promise.all(outputs);',
    instead: '',
    caughtBy: [
      {
        file: 'src/transports/kafka/at-least-once.test.ts',
        test: 'commits offsets when all outputs are acknowledged, and not before',
      },
    ],
    seeds,
  },
  {
    name: 'written-behind-a-failure',
    fault: 'at least once, outputs are written behind one that was given up, and all of them once more after that',
    file: 'src/transports/kafka/at-least-once.ts',
    text: 'endsWithFailure: true,',
    instead: '',
    caughtBy: [
      {
        file: 'src/transports/kafka/at-least-once.test.ts',
        test: 'writes nothing behind an output that was given up: what comes after the failure is read in its order',
      },
    ],
  },
  {
    name: 'two-owners',
    fault: 'a task is given to its next owner while another member has it',
    file: 'src/transports/kafka/share-tasks.ts',
    text: '(owners.get(task) ?? memberId) === memberId',
    instead: '(owners.get(task) ?? memberId) !== undefined',
    caughtBy: [
      {
        file: 'src/transports/kafka/share-tasks.prop.test.ts',
        test: 'never gives a task to two, nor to one while another has it',
      },
    ],
    seeds,
  },
  {
    name: 'claim-of-an-old-generation',
    fault: 'of two members that claim a task, the one of the older generation is believed',
    file: 'src/transports/kafka/share-tasks.ts',
    text: '(generations.get(task) ?? -1) >= generation',
    instead: '(generations.get(task) ?? 1e9) <= generation',
    caughtBy: [
      {
        file: 'src/transports/kafka/share-tasks.prop.test.ts',
        test: 'never gives a task to two, nor to one while another has it',
      },
    ],
  },
  {
    name: 'transactions-of-the-living',
    fault: 'the leader ends transactions of members that are there',
    file: 'src/transports/kafka/share-tasks.ts',
    text: '.filter((id) => !present.has(id));',
    instead: '.filter((id) => present.has(id) || id !== undefined);',
    caughtBy: [{ file: 'src/transports/kafka/share-tasks.prop.test.ts', test: 'are none while everybody is there' }],
  },
  {
    name: 'static-member-leaves',
    fault: 'a member with a name gives its tasks away each time its process is restarted',
    file: 'src/transports/kafka/group-coordinator.ts',
    text: "if (memberId === '' || settings.instanceId !== null || this.#cluster.signal.aborted) return;",
    instead: "if (memberId === '' || this.#cluster.signal.aborted) return;",
    caughtBy: [
      {
        file: 'src/transports/kafka/group-coordinator.test.ts',
        test: 'keeps the tasks of a member with a name when it goes, and gives those of others back',
      },
    ],
  },
];

import type { Mutant, Seeds } from './mutant.ts';

/** A case of the contract that all transports keep to, on the embedded log or in memory. */
const contract = (log: 'embedded' | 'memory', test: string) => ({ file: `test/contract/${log}.test.ts`, test });

/** Worlds with several processes on one folder, whose disk fails and whose power is cut. */
const seeds: Seeds = { on: 'embedded', from: 1, count: 100 };

/** Faults of the logs: in memory, embedded, and of Kafka's client below its requests. */
export const transportMutants: readonly Mutant[] = [
  {
    name: 'stale-generation-commits',
    fault: 'a member commits work of a generation whose tasks it has lost since',
    file: 'src/transports/local/groups.ts',
    text: 'if (generation >= member.validSince && generation <= member.generation) return;',
    instead: 'if (generation <= member.generation) return;',
    caughtBy: [
      contract('memory', 'refuses work of a generation in which the member had tasks that it lost since'),
      {
        file: 'src/transports/local/groups.test.ts',
        test: 'expels members: their work is refused at once, and they start over',
      },
    ],
  },
  {
    name: 'task-moves-during-a-commit',
    fault: 'a task is given to somebody else while a commit of its owner is under way',
    file: 'src/transports/local/groups.ts',
    text: 'while (group.commits.size > 0) yield* until(Promise.all(group.commits));',
    instead: '',
    caughtBy: [{ file: 'src/transports/local/groups.test.ts', test: 'waits for commits before a task goes on' }],
    seeds,
  },
  {
    name: 'outputs-of-a-refused-commit',
    fault: 'what was sent for a commit that was refused goes with the next one',
    file: 'src/transports/local/session.ts',
    text: `    const outputs = this.#outputs;
    this.#outputs = [];
    const done`,
    instead: `    const outputs = this.#outputs;
    const done`,
    caughtBy: [contract('memory', 'that are refused leave no trace, and the next one works')],
  },
  {
    name: 'commits-overtake',
    fault: 'a commit whose outputs are encoded sooner takes effect before an earlier one',
    file: 'src/transports/local/ordered-gate.ts',
    text: 'const turn = Promise.allSettled([this.#tail, ...inputs]);',
    instead: 'const turn = Promise.allSettled(inputs);',
    caughtBy: [
      {
        file: 'src/transports/local/ordered-gate.test.ts',
        test: 'is handed over in the order of the calls, whichever input is there first',
      },
    ],
  },
  {
    name: 'tasks-shared-unevenly',
    fault: 'a member keeps a task although another one has two fewer',
    file: 'src/transports/local/assign-tasks.ts',
    text: 'share(other).size + 1 >= share(member).size',
    instead: 'share(other).size + 2 >= share(member).size',
    caughtBy: [
      {
        file: 'src/transports/local/assign-tasks.prop.test.ts',
        test: 'gives each task to one member that knows it, evenly, and moves no more than it must',
      },
    ],
  },
  {
    name: 'compaction-keeps-the-oldest',
    fault: 'compaction keeps the first record of a key instead of the newest',
    file: 'src/transports/local/compaction.ts',
    text: 'if (known === undefined || known < offset) this.#newest.set(key, offset);',
    instead: 'if (known === undefined || known > offset) this.#newest.set(key, offset);',
    caughtBy: [
      { file: 'test/embedded/maintenance.test.ts', test: 'keeps the newest record of each key at its offset, none' },
    ],
  },
  {
    name: 'compaction-passes-readers',
    fault: 'compaction removes what a group has not read yet',
    file: 'src/transports/local/retention.ts',
    text: 'if (nextOffset > read || (minCompactionLagMs > 0',
    instead: 'if ((minCompactionLagMs > 0',
    caughtBy: [
      {
        file: 'test/embedded/maintenance.test.ts',
        test: 'spares what any group has not read, however old it is, and tombstones too',
      },
    ],
  },
  {
    name: 'offset-inside-a-batch',
    fault: 'who begins inside a batch gets its first records too',
    file: 'src/transports/memory/memory-partition.ts',
    text: 'const skip = recordsBelow(shared.offsetDelta, baseOffset, offset, first, first + count);',
    instead: 'const skip = first;',
    caughtBy: [contract('memory', 'begins inside a batch, and leaves out what lies before')],
  },
  {
    name: 'acknowledged-to-the-wrong-one',
    fault: 'of writes that share a transaction, each is told the outcome of another',
    file: 'src/transports/embedded/writer.ts',
    text: 'for (const { write, value } of results) write.done(value);',
    instead: 'for (const [at, { write }] of results.entries()) write.done(results[results.length - 1 - at]!.value);',
    caughtBy: [contract('embedded', 'keeps the order of sends that were not awaited one by one')],
  },
  {
    name: 'owner-of-before-writes',
    fault: 'a process commits that was taken over by another one',
    file: 'src/transports/embedded/owners.ts',
    text: 'if (this.#isMine(owner, epoch)) return;',
    instead: 'if (owner !== undefined) return;',
    caughtBy: [
      {
        file: 'test/embedded/processes.test.ts',
        test: 'is not given back to an owner that was stopped and is woken after it was replaced',
      },
    ],
    seeds,
  },
  {
    name: 'transaction-on-an-older-one',
    fault: 'a transaction begins on a file that lacks the last one',
    file: 'src/transports/embedded/writer.ts',
    text: 'if (base === last && last >= this.#seen) return;',
    instead: 'if (base <= last) return;',
    caughtBy: [{ file: 'test/embedded/reopening.test.ts', test: 'is refused, and the process writes nothing more' }],
  },
  {
    name: 'partition-of-negative-hashes',
    fault: 'keys whose hash is negative go to another partition than with Java',
    file: 'src/protocol/partitioner.ts',
    text: 'return (murmur2(key) & 0x7fff_ffff) % partitions;',
    instead: 'return Math.abs(murmur2(key)) % partitions;',
    caughtBy: [{ file: 'src/protocol/partitioner.test.ts', test: 'partitions are those of Java' }],
  },
];

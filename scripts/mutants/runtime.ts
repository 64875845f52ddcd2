import type { Mutant } from './mutant.ts';

/** Faults of the engine: commits, where tasks begin, what they hold, how they take turns. */
export const runtimeMutants: readonly Mutant[] = [
  {
    name: 'commit-before-flush',
    fault: 'offsets are committed before the outputs are handed over',
    file: 'src/runtime/app/committer.ts',
    text: `    if (outputs.length > 0) yield* until(session.send(outputs, generation));
    if (!this`,
    instead: `    yield* until(session.commit({ generation, offsets: progress.flatMap((each) => each.offsets), state: [] }));
    if (outputs.length > 0) yield* until(session.send(outputs, generation));
    if (!this`,
    caughtBy: [
      {
        file: 'src/runtime/app/committer.test.ts',
        test: 'outputs come first, then what stores have changed, then offsets, each when the one before is acknowledged',
      },
      {
        file: 'src/testing/fast-check/laws.prop.test.ts',
        test: 'hold for windows, in every respect',
      },
    ],
  },
  {
    name: 'commit-behind-a-failure',
    fault: 'a commit goes on although outputs that were handed over ahead of it could not be',
    file: 'src/runtime/app/committer.ts',
    text: `const offsets = this.#placed(progress);
    this.#checkWhole();`,
    instead: 'const offsets = this.#placed(progress);',
    caughtBy: [
      {
        file: 'src/runtime/app/committer.test.ts',
        test: 'commits nothing behind outputs that fail while it waits for its own (atomic: true)',
      },
    ],
  },
  {
    name: 'announcements-unconfirmed',
    fault: 'nobody is told that announcements ahead of a commit were not written, if no task has anything to commit',
    file: 'src/runtime/app/committer.ts',
    text: '&& this.#host.announcer?.().due !== true && !this.owes) return;',
    instead: '&& this.#host.announcer?.().due !== true) return;',
    caughtBy: [
      {
        file: 'src/runtime/app/committer.test.ts',
        test: 'a commit follows announcements that were sent ahead of it, and reports that they were not written',
      },
      {
        file: 'test/simulation/simulation.test.ts',
        test: 'does not stand still where announcements are not written in time, and no record comes after them (800016408)',
      },
    ],
  },
  {
    name: 'state-before-outputs',
    fault: 'at least once, stores know of a closed window before its row is acknowledged',
    file: 'src/runtime/app/committer.ts',
    text: 'yield* until(session.commit({ generation: this.#generation(joined, owned), offsets: [], state: [] }));',
    instead: '',
    caughtBy: [
      {
        file: 'src/runtime/app/committer.test.ts',
        test: 'outputs come first, then what stores have changed, then offsets, each when the one before is acknowledged',
      },
    ],
  },
  {
    name: 'stores-of-a-lost-task',
    fault: 'local stores take the changes of a task that was given away and back during the commit',
    file: 'src/runtime/app/committer.ts',
    text: 'const kept = progress.filter((_, at) => this.#isOurs(tasks[at]!));',
    instead: 'const kept = progress;',
    caughtBy: [
      {
        file: 'src/runtime/app/committer.test.ts',
        test: 'they do not when the task was lost and given again meanwhile: they may have been restored since',
      },
    ],
  },
  {
    name: 'work-of-a-lost-task',
    fault: 'what a task did that was lost during the commit is committed in the generation of its next owner',
    file: 'src/runtime/app/committer.ts',
    text: 'return owned() ? (this.#host.session()?.generation ?? generation) : generation;',
    instead: 'return this.#host.session()?.generation ?? generation;',
    caughtBy: [
      {
        file: 'src/runtime/app/committer.test.ts',
        test: 'when the group goes on to another generation while outputs are taken, work is of the new one if its tasks are lost',
      },
    ],
  },
  {
    name: 'commit-does-not-wait-for-calls',
    fault: 'a commit passes records whose asynchronous calls are under way',
    file: 'src/runtime/app/committer.ts',
    text: 'for (const task of this.#host.tasks.values()) sum += task.pendingAsync();',
    instead: '',
    caughtBy: [
      {
        file: 'src/operators/map-async.test.ts',
        test: 'wait for calls: a crash calls again what was not finished, and nothing else',
      },
    ],
  },
  {
    name: 'calls-do-not-hold-time',
    fault: 'the time of steps below asynchronous calls passes records that are still under way',
    file: 'src/dataflow/pending-times.ts',
    text: 'if (oldest < limit) limit = oldest;',
    instead: 'if (oldest < -1) limit = oldest;',
    caughtBy: [
      {
        file: 'src/dataflow/pending-times.test.ts',
        test: 'holds back the time of steps below, like the limit of the task',
      },
    ],
  },
  {
    name: 'overtaken-across-a-shuffle',
    fault: 'a shuffle that one task writes after asynchronous calls is taken to be in time order',
    file: 'src/plan/shuffles.ts',
    text: 'traits.waits === true || traits.reorders === true);',
    instead: 'traits.waits === true);',
    caughtBy: [{ file: 'test/runtime/calls-and-time.test.ts', test: 'windowBy after a shuffle' }],
  },
  {
    name: 'position-stays-behind',
    fault: 'the position after a record is that of the record',
    file: 'src/runtime/task/input-queue.ts',
    text: 'return batch.baseOffset + (batch.offsetDelta[last] as number) + 1;',
    instead: 'return batch.baseOffset + (batch.offsetDelta[last] as number);',
    caughtBy: [
      {
        file: 'src/runtime/task/input-set.test.ts',
        test: 'are committed up to the record after the last one, inside of a batch too',
      },
    ],
  },
  {
    name: 'first-record-skipped',
    fault: 'a task that begins inside a batch leaves out the record at its position',
    file: 'src/runtime/task/input-queue.ts',
    text: '(batch.offsetDelta[at] as number) < this.position) at += 1;',
    instead: '(batch.offsetDelta[at] as number) <= this.position) at += 1;',
    caughtBy: [{ file: 'src/testing/fast-check/laws.prop.test.ts', test: 'hold for windows, in every respect' }],
  },
  {
    name: 'table-after-stream',
    fault: 'a stream sees a record before the table of the same topic does',
    file: 'src/runtime/task/input-queue.ts',
    text: 'this.#consumers.unshift(consumer);',
    instead: 'this.#consumers.push(consumer);',
    caughtBy: [
      {
        file: 'src/runtime/task/input-queue.test.ts',
        test: 'gives a record to the table before streams, which have it in their own order',
      },
    ],
  },
  {
    name: 'time-lost-at-restart',
    fault: 'a step does not know after a restart how far its time was: late records count again',
    file: 'src/state/step-time.ts',
    text: 'if (stored === undefined) return;',
    instead: 'if (stored !== undefined) return;',
    caughtBy: [
      {
        file: 'src/operators/window-by.test.ts',
        test: 'stay late after a restart, also when nothing has come since (TM-3)',
      },
      { file: 'src/operators/restart.prop.test.ts', test: 'makes a restart between any two records invisible' },
    ],
  },
  {
    name: 'state-not-restored',
    fault: 'a changelog is read to its end, and nothing of it reaches the store',
    file: 'src/runtime/app/changelog.ts',
    text: '    const writes = replay.finish(isComplete);',
    instead: '    const writes: StoreWrites[] = [];\n    replay.finish(isComplete);',
    caughtBy: [
      {
        file: 'src/runtime/app/changelog.test.ts',
        test: 'is rebuilt from the changelog where the local stores are gone',
      },
    ],
  },
  {
    name: 'restored-to-what-can-be-read',
    fault: 'a restoration does not wait for a transaction that holds a changelog back',
    file: 'src/runtime/app/changelog.ts',
    text: "await this.#log.offsets(topic, 'written', [partition])",
    instead: "await this.#log.offsets(topic, 'latest', [partition])",
    caughtBy: [{ file: 'src/runtime/app/changelog.test.ts', test: 'is said to be waited for, and read when it comes' }],
  },
  {
    name: 'old-store-brought-forward',
    fault: 'a store goes on whose changelog may have forgotten deletions',
    file: 'src/runtime/app/changelog.ts',
    text: '(position === end || age <= this.#maxAge(id))',
    instead: '(position === end || age >= 0)',
    caughtBy: [
      {
        file: 'src/runtime/app/changelog.test.ts',
        test: 'is rebuilt where the changelog may have forgotten deletions since',
      },
    ],
  },
  {
    name: 'open-transaction-overtaken',
    fault: 'a record of one input is taken although an open transaction holds back an older one of another',
    file: 'src/runtime/task/input-set.ts',
    text: 'if (this.#waitsFor !== undefined) return undefined;',
    instead: '',
    caughtBy: [
      {
        file: 'src/runtime/task/input-set.test.ts',
        test: 'wait for records of open transactions that were written before another record arrived',
      },
    ],
  },
  {
    name: 'waits-for-each-batch',
    fault: 'records that arrived together wait for a transaction of another input with each batch',
    file: 'src/runtime/task/input-set.ts',
    text: 'if (input.empty || this.#count === 1 || input.headOffset < input.arrived) continue;',
    instead: 'if (input.empty || this.#count === 1) continue;',
    caughtBy: [
      {
        file: 'src/runtime/task/input-set.test.ts',
        test: 'wait once for records that arrived together, in however many batches',
      },
    ],
  },
  {
    name: 'late-writer-believed',
    fault: 'a restoration takes the changes of a process that had lost the task',
    file: 'src/runtime/app/changelog-replay.ts',
    text: 'if (writer !== UNSAID && writer < this.latest) {',
    instead: 'if (writer !== UNSAID && writer < -1) {',
    caughtBy: [{ file: 'src/runtime/app/changelog-writer.test.ts', test: 'is passed over when the store is rebuilt' }],
  },
  {
    name: 'late-keys-forgotten',
    fault: 'a process that is restarted before its first commit does not write the valid values of late changes again',
    file: 'src/runtime/app/changelog-replay.ts',
    text: 'return this.void.size > 0 ? this.#beforeVoid : this.#certain;',
    instead: 'return this.#certain;',
    caughtBy: [
      {
        file: 'src/runtime/app/changelog-writer.test.ts',
        test: 'is followed by what holds, once, in a commit of the owner, and before what that commit changes',
      },
    ],
  },
  {
    name: 'comeback-not-told',
    fault: 'a static member that is started again writes as the one before it',
    file: 'src/runtime/app/changelog-writer.ts',
    text: 'return comesBack ? latest + 1 : writerAfter(latest, generation);',
    instead: 'return writerAfter(latest, generation);',
    caughtBy: [
      {
        file: 'src/runtime/app/changelog-writer.test.ts',
        test: 'is told from those of a static member that is started again in its generation',
      },
      {
        file: 'src/runtime/app/changelog-commits.prop.test.ts',
        test: 'restores all stores of a task to the same commit, whatever a crash has left of later ones',
      },
    ],
  },
  {
    name: 'new-life-not-counted',
    fault: 'a late write after the group was deleted stands above what the next owner writes',
    file: 'src/runtime/app/changelog-writer.ts',
    text: 'const countsLife = this.#isUnknown && ',
    instead: 'const countsLife = this.#isUnknown && latest < 0 && ',
    caughtBy: [
      {
        file: 'src/runtime/app/changelog-writer.test.ts',
        test: 'is not what the next owner writes after the group was deleted, whichever of them is read first',
      },
      {
        file: 'src/runtime/app/changelog-commits.prop.test.ts',
        test: 'restores all stores of a task to the same commit, whatever a crash has left of later ones',
      },
    ],
  },
  {
    name: 'offset-by-hand-completes-commits',
    fault: 'an offset that was set by hand makes a torn commit count in one store',
    file: 'src/runtime/app/changelog-replay.ts',
    text: 'if (known === undefined || storesOf(known)?.has(this.id.store) !== true) continue;',
    instead: 'if (known === undefined) continue;',
    caughtBy: [
      {
        file: 'src/runtime/app/changelog-replay.test.ts',
        test: 'believes a commit whose offsets are committed, whatever the other stores tell',
      },
    ],
  },
  {
    name: 'state-behind-offsets',
    fault: 'a task starts although its store lacks records that are committed',
    file: 'src/runtime/app/start-place.ts',
    text: 'if (low.offset < known.offset) throw this.#behind(low, high, known.offset);',
    instead: '',
    caughtBy: [
      { file: 'src/runtime/app/task-starts.test.ts', test: 'stops where a changelog lacks what was committed' },
    ],
  },
  {
    name: 'turns-without-time',
    fault: 'a task goes on although another one has an earlier record',
    file: 'src/runtime/task/stage-turns.ts',
    text: 'const taken = task.advance(wanted, heap.second + slack);',
    instead: 'const taken = task.advance(wanted, Number.POSITIVE_INFINITY);',
    caughtBy: [
      {
        file: 'src/runtime/task/stage-turns.test.ts',
        test: 'take what they have in the order of time, those with few records too',
      },
    ],
  },
  {
    name: 'limit-rises-under-a-record',
    fault: 'behind a shuffle a record moves the time of a table before what has waited for that time looks into it',
    file: 'src/runtime/task/input-set.ts',
    text: 'if (this.#time?.risen === true && !this.#goesOn()) return false;',
    instead: '',
    caughtBy: [
      {
        file: 'src/runtime/task/input-set.test.ts',
        test: 'let what waits for time happen before another record sees that its limit has risen',
      },
    ],
  },
  {
    name: 'ends-of-before-are-believed',
    fault:
      'behind a shuffle a task does not hold back time that had read its input to the end in an earlier generation',
    file: 'src/runtime/task/heard-stage.ts',
    text: 'return ends || time !== AT_END ? time : NOWHERE;',
    instead: 'return time;',
    caughtBy: [
      {
        file: 'src/runtime/task/shuffle-time.test.ts',
        test: 'waits for those that had read their inputs to the end, from the first word of the new generation on',
      },
    ],
  },
  {
    name: 'held-records-unseen',
    fault: 'a plain RxJS operator may hold a record over a commit',
    file: 'src/runtime/task/held-records.ts',
    text: 'if (this.#unchanged()) return undefined;',
    instead: 'if (this.#watched.length >= 0) return undefined;',
    caughtBy: [
      { file: 'src/runtime/task/held-records.test.ts', test: 'is found behind mapAsync, in a branch of late turns' },
    ],
  },
  {
    name: 'forgotten-row-is-a-record',
    fault: 'a row that the log refuses later is put aside as the record that closed its window',
    file: 'src/runtime/task/task-failures.ts',
    text: 'if (from.row === FORGOTTEN_ROW) throw again(error);',
    instead: '',
    caughtBy: [
      {
        file: 'test/runtime/refused-records.test.ts',
        test: 'are put aside as rows where a closed window emitted them, when the work has been done again',
      },
    ],
  },
  {
    name: 'dead-letter-not-written',
    fault: 'a record that fails is passed over instead of being put aside',
    file: 'src/runtime/task/task-failures.ts',
    text: 'if (isDeadLetter(policy)) this.#write(this.#outputs, policy.deadLetter, failure, place, origin);',
    instead: '',
    caughtBy: [
      {
        file: 'src/operators/stateless.test.ts',
        test: 'writes dead letters with the bytes and headers as they were, why and whence',
      },
    ],
  },
  {
    name: 'late-counted-twice',
    fault: 'a record that is late for one window counts for two',
    file: 'src/runtime/task/task.ts',
    text: 'this.counters.late += Math.max(1, lateness.missed.length);',
    instead: 'this.counters.late += 1 + lateness.missed.length;',
    caughtBy: [{ file: 'src/operators/window-by.test.ts', test: 'count (record, window) pairs as late' }],
  },
  {
    name: 'idle-while-busy',
    fault: 'stream time goes on with the clock while records are still there to be read',
    file: 'src/runtime/task/task.ts',
    text: 'return works && this.reach.atEnd && this.pendingAsync() === 0;',
    instead: 'return works && this.pendingAsync() === 0;',
    caughtBy: [
      {
        file: 'src/runtime/task/task-silence.test.ts',
        test: 'a task is silent when it has taken all that is known to be there, not when the rest is on its way',
      },
    ],
  },
  {
    name: 'own-changes-taken-for-late',
    fault:
      'a store does not know since when its task has been owned here, and what the process wrote itself is called late',
    file: 'src/runtime/app/changelog.ts',
    text: 'const since = told(3, latest);',
    instead: 'const since = latest;',
    caughtBy: [
      {
        file: 'src/runtime/app/changelog-writer.test.ts',
        test: 'is not what the process itself wrote in an earlier generation, and reads again',
      },
    ],
  },
  {
    name: 'branch-executed-twice',
    fault: 'what stands above a branch point runs once for each branch',
    file: 'src/runtime/task/task-scope.ts',
    text: 'if (node.fanOut < 2) {',
    instead: 'if (node.fanOut < 200) {',
    caughtBy: [
      {
        file: 'src/runtime/task/task.test.ts',
        test: 'runs what is above a branch point once per record: operators, plain operators, after mergeWith, in shuffles',
      },
    ],
  },
  {
    name: 'unused-store-goes-on',
    fault: 'a store goes on that was out of use while a pipeline without stores went on',
    file: 'src/runtime/app/start-place.ts',
    text: 'if (before?.stores === undefined && before?.trail === undefined && !passed)',
    instead: 'if (before?.stores === undefined)',
    caughtBy: [
      {
        file: 'src/runtime/app/task-starts.test.ts',
        test: 'stops where a store was out of use while the application went on without any',
      },
      {
        file: 'test/runtime/changed-pipelines.prop.test.ts',
        test: 'counts each record once, or is refused, or says which store lacks records: it always ends well',
      },
    ],
  },
  {
    name: 'keys-without-their-state',
    fault: 'a stage goes on with state of another number of partitions, where the keys are no longer',
    file: 'src/runtime/app/state-spread.ts',
    text: 'if (counts.length > 0 && before !== now) throw built(stage, before, now);',
    instead: '',
    caughtBy: [
      {
        file: 'test/runtime/changed-topics.test.ts',
        test: "a stage whose state was built from another topic of 'more' partitions does not start",
      },
    ],
  },
  {
    name: 'ends-before-others',
    fault: 'a process that runs to the end ends its tasks while those of others write more for them',
    file: 'src/runtime/app/bounded-run.ts',
    text: 'if (shared && tasks.some(({ reach }) => !reach.atEnd)) {',
    instead: 'if (shared && tasks.length === 0) {',
    caughtBy: [
      {
        file: 'test/runtime/shared-end.test.ts',
        test: 'go on while another one has something left that leads to more',
      },
    ],
  },
  {
    name: 'ended-tasks-wait-forever',
    fault: 'a process that runs to the end waits forever for tasks that have ended, when others write more for them',
    file: 'src/runtime/app/bounded-run.ts',
    text: "if (task.reach.completed && this.#othersWrote(tasks)) return shared ? this.#leavesToOthers(engine) : 'anew';",
    instead: '',
    caughtBy: ['nothing else', 'the first task'].map((has) => ({
      file: 'test/runtime/shared-end.test.ts',
      test: `end where one is ready to and has '${has}', and another one then writes more for it`,
      hangs: true,
    })),
  },
  {
    name: 'store-behind-a-shuffle-goes-on',
    fault: 'a store behind a shuffle goes on that was out of use while the stage before the shuffle went on',
    file: 'src/log/store-trail.ts',
    text: 'return from < to ? { from, to, left: left !== undefined } : undefined;',
    instead: 'return from < to && left === undefined ? { from, to, left: false } : undefined;',
    caughtBy: [
      {
        file: 'src/runtime/app/task-starts.test.ts',
        test: 'stops where a store behind a shuffle was out of use while records passed it by',
      },
    ],
  },
  {
    name: 'shuffle-counts-as-left-out',
    fault: 'a store is refused whose records came through a shuffle for a while',
    file: 'src/log/store-trail.ts',
    text: 'return trail?.behind.has(name) === true ? offset : (trail?.left.get(name) ?? 0);',
    instead: 'return trail?.left.get(name) ?? 0;',
    caughtBy: [
      {
        file: 'src/log/store-trail.test.ts',
        test: 'is nothing where it has got them directly and through a topic by turns',
      },
    ],
  },
  {
    name: 'store-of-another-input-is-refused',
    fault: 'a store of the stage is refused because records of an input that does not come to it were read without it',
    file: 'src/log/store-trail.ts',
    text: 'nameHash).filter((store) => !known.apart.has(store));',
    instead: 'nameHash);',
    caughtBy: [
      {
        file: 'src/log/store-trail.test.ts',
        test: 'is nothing of an input that does not come to it, though it belongs to the stage',
      },
    ],
  },
  {
    name: 'stage-takes-all-inputs',
    fault: 'records of an input count as having come to all steps of the stage',
    file: 'src/plan/store-routes.ts',
    text: 'for (const next of nodes) if (next.upstream.has(node)) below.add(next);',
    instead: 'for (const next of nodes) if (next !== node) below.add(next);',
    caughtBy: [
      {
        file: 'src/plan/store-routes.test.ts',
        test: 'lead only to steps that the records of a topic come to, though others belong to the stage',
      },
      {
        file: 'test/runtime/harmless-changes.test.ts',
        test: 'after a table that is joined, read for itself, and joined again, and left out and joined again',
      },
    ],
  },
  {
    name: 'trail-of-any-length',
    fault: 'what is noted of stores can be longer than brokers keep with an offset',
    file: 'src/log/store-trail.ts',
    text: 'return text.length > MAX_TRAIL ? undefined : text;',
    instead: 'return text;',
    caughtBy: [
      {
        file: 'src/transports/kafka/offset-metadata.test.ts',
        test: 'takes less than brokers keep by default, with as many stores and outputs as there may be',
      },
      { file: 'src/log/store-trail.test.ts', test: 'is left out where it is too long for a broker' },
    ],
  },
];

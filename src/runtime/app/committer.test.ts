import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../dataflow/clock.ts';
import type { CommitUnit, GroupSession } from '../../log/transport.ts';
import type { StoreWrites } from '../../state/byte-store.ts';
import type { Task } from '../task/task.ts';
import type { Changelog } from './changelog.ts';
import { Committer } from './committer.ts';

const writes: StoreWrites = {
  id: { applicationId: 'app', store: 'counts', partition: 0 },
  keys: [Uint8Array.of(1)],
  values: [Uint8Array.of(2)],
};

/** A commit of one task that is under way, and what the local stores are told of it. */
function underWay(clock: Clock = systemClock) {
  const task = {
    id: 'stage/0',
    dirty: true,
    pendingAsync: () => 0,
    takeProgress: () => ({ outputs: [], state: [writes], offsets: [], newest: [] }),
    committed: () => undefined,
  } as unknown as Task;
  const tasks = new Map([[task.id, task]]);
  const applied: StoreWrites[] = [];
  let acknowledge: () => void = () => undefined;
  const session = {
    send: async () => undefined,
    commit: () => new Promise<void>((resolve) => (acknowledge = resolve)),
  } as unknown as GroupSession;
  const committer = new Committer({
    tasks,
    clock,
    atomic: true,
    session: () => ({ session, generation: 1 }),
    changelog: () =>
      ({ batches: () => [], committed: (state: StoreWrites[]) => applied.push(...state) }) as unknown as Changelog,
    origin: () => ({}),
    outputs: { take: () => [], recycle: () => undefined },
    failed: () => false,
    schedule: () => undefined,
    fail: () => undefined,
  });
  const done = committer.commit();
  return { committer, tasks, task, applied, finish: async () => (acknowledge(), done) };
}

test('local stores follow a commit that is acknowledged', async () => {
  const { applied, finish } = underWay();
  await new Promise((resolve) => setImmediate(resolve));
  expect(applied).toEqual([]);
  await finish();
  expect(applied).toEqual([writes]);
});

test.each(['lost', 'lost and given again'])(
  'they do not when the task was %s meanwhile: they may have been restored since',
  async (what) => {
    const { tasks, task, applied, finish } = underWay();
    await new Promise((resolve) => setImmediate(resolve));
    tasks.delete(task.id);
    if (what !== 'lost') tasks.set(task.id, Object.create(task) as Task);
    await finish();
    expect(applied).toEqual([]);
  },
);

test('outputs that come while others are being taken go together afterwards', async () => {
  const sent: string[][] = [];
  let take: () => void = () => undefined;
  const outputs: string[] = [];
  const shared = { take: () => outputs.splice(0) as never[], recycle: () => undefined };
  const task = {} as unknown as Task;
  const session = {
    send: (batches: readonly unknown[]) => {
      sent.push(batches as string[]);
      return new Promise<void>((resolve) => (take = resolve));
    },
  } as unknown as GroupSession;
  let scheduled = 0;
  const committer = new Committer({
    tasks: new Map([['stage/0', task]]),
    clock: systemClock,
    atomic: false,
    session: () => ({ session, generation: 1 }),
    changelog: () => undefined,
    origin: () => ({}),
    outputs: shared,
    failed: () => false,
    schedule: () => scheduled++,
    fail: () => undefined,
  });
  outputs.push('a');
  const first = committer.flush();
  outputs.push('b');
  await committer.flush();
  outputs.push('c');
  await committer.flush();
  expect(sent).toEqual([['a']]);
  take();
  await first;
  expect(scheduled, 'the engine comes back for the rest').toBe(1);
  void committer.flush();
  expect(sent).toEqual([['a'], ['b', 'c']]);
});

test.each([true, false])(
  'commits nothing behind outputs that fail while it waits for its own (atomic: %s)',
  async (atomic) => {
    const calls: string[] = [];
    const handed: { resolve: () => void; reject: (error: Error) => void }[] = [];
    const outputs: string[] = ['early'];
    let failure: unknown;
    const task = {
      id: 'stage/0',
      dirty: true,
      pendingAsync: () => 0,
      takeProgress: () => ({ outputs: [], state: [writes], offsets: [], newest: [] }),
      committed: () => calls.push('committed'),
    } as unknown as Task;
    const session = {
      send: (batches: readonly unknown[]) => {
        calls.push(`send ${batches.join()}`);
        return new Promise<void>((resolve, reject) => handed.push({ resolve, reject }));
      },
      commit: async () => void calls.push('commit'),
    } as unknown as GroupSession;
    const committer = new Committer({
      tasks: new Map([[task.id, task]]),
      clock: systemClock,
      atomic,
      session: () => ({ session, generation: 1 }),
      changelog: () => undefined,
      origin: () => ({}),
      outputs: { take: () => outputs.splice(0) as never[], recycle: () => undefined },
      failed: () => failure !== undefined,
      schedule: () => undefined,
      fail: (error) => (failure ??= error),
    });
    const flushed = committer.flush();
    outputs.push('late');
    const done = committer.commit();
    // The topic of the early ones could not be looked up in time; a moment later it can be.
    handed[0]?.reject(new Error('the topic cannot be found'));
    await flushed;
    handed[1]?.resolve();
    await expect(done).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(calls).toEqual(['send early', 'send late']);
    expect(failure).toMatchObject({ message: 'the topic cannot be found' });
  },
);

test('a commit that takes long says what it waits for, and a short one does not', async () => {
  const now = { ms: 0 };
  const { committer, finish } = underWay({ ...systemClock, monotonic: () => now.ms });
  await new Promise((resolve) => setImmediate(resolve));
  expect(committer.waitingFor()).toBeUndefined();
  now.ms = 3200;
  expect(committer.waitingFor()).toBe('a commit, which has waited for 3 s for its offsets to be committed');
  await finish();
  expect(committer.waitingFor()).toBeUndefined();
});

test('outputs come first, then what stores have changed, then offsets, each when the one before is acknowledged', async () => {
  for (const atomic of [true, false]) {
    const calls: string[] = [];
    const call = async (name: string): Promise<void> => {
      calls.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      calls.push(`${name} done`);
    };
    const nameOf = (batches: readonly unknown[]): string => batches.join('+');
    const session = {
      send: (batches: readonly unknown[]) => call(nameOf(batches)),
      commit: ({ offsets }: CommitUnit) => call(offsets.length === 0 ? 'acknowledge' : 'offsets'),
    } as unknown as GroupSession;
    const offset = { topic: 'in', partition: 0, offset: 1 };
    const task = {
      id: 'stage/0',
      dirty: true,
      pendingAsync: () => 0,
      takeProgress: () => ({ outputs: [], state: [writes], offsets: [offset] }),
      committed: () => undefined,
    } as unknown as Task;
    const committer = new Committer({
      tasks: new Map([[task.id, task]]),
      clock: systemClock,
      atomic,
      session: () => ({ session, generation: 1 }),
      changelog: () => ({ batches: () => ['changes'], committed: () => undefined }) as unknown as Changelog,
      origin: () => ({}),
      outputs: { take: () => ['outputs'] as never[], recycle: () => undefined },
      failed: () => false,
      schedule: () => undefined,
      fail: () => undefined,
    });
    await committer.commit();
    const steps = atomic ? ['outputs+changes', 'offsets'] : ['outputs', 'acknowledge', 'changes', 'offsets'];
    expect(calls).toEqual(steps.flatMap((step) => [step, `${step} done`]));
  }
});

test.each(['stay', 'are lost'])(
  'when the group goes on to another generation while outputs are taken, work is of the new one if its tasks %s',
  async (what) => {
    let generation = 1;
    let taken: () => void = () => undefined;
    const committed: number[] = [];
    const session = {
      send: () => new Promise<void>((resolve) => (taken = resolve)),
      commit: async (unit: CommitUnit) => void committed.push(unit.generation),
    } as unknown as GroupSession;
    const task = {
      id: 'stage/0',
      dirty: true,
      pendingAsync: () => 0,
      takeProgress: () => ({ outputs: [], state: [], offsets: [], newest: [] }),
      committed: () => undefined,
    } as unknown as Task;
    const tasks = new Map([[task.id, task]]);
    const committer = new Committer({
      tasks,
      clock: systemClock,
      atomic: true,
      session: () => ({ session, generation }),
      changelog: () => undefined,
      origin: () => ({}),
      outputs: { take: () => ['outputs'] as never[], recycle: () => undefined },
      failed: () => false,
      schedule: () => undefined,
      fail: () => undefined,
    });
    const done = committer.commit();
    generation = 2;
    if (what === 'are lost') tasks.set(task.id, Object.create(task) as Task);
    taken();
    await done;
    // The log refuses work of the old one, if somebody else may have it.
    expect(committed).toEqual([what === 'stay' ? 2 : 1]);
  },
);

test('where a task begins is not written when the task is lost while an earlier commit is waited for', async () => {
  const { committer, finish } = underWay();
  await new Promise((resolve) => setImmediate(resolve));
  const lost = new Set<string>();
  const begins = (id: string) => ({
    outputs: [],
    state: [{ ...writes, id: { ...writes.id, store: id } }],
    offsets: [],
    newest: [],
  });
  const due = () => ['a', 'b'].filter((id) => !lost.has(id)).map(begins);
  let asked = 0;
  const settled = committer.settle(
    () => {
      asked += 1;
      return due();
    },
    () => true,
  );
  expect(asked).toBe(0);
  for (const id of ['a', 'b']) lost.add(id);
  await finish();
  await settled;
  expect(asked).toBe(1);
  expect(committer.current, 'nothing is left to write').toBeUndefined();
});

test('a commit after the engine has given up does not wait for calls whose results nobody takes any more', async () => {
  const { committer, finish, task } = underWay();
  await new Promise((resolve) => setImmediate(resolve));
  await finish();
  Object.assign(task, { pendingAsync: () => 1 });
  committer.abandon();
  await committer.commit();
  expect(committer.current).toBeUndefined();
});

test('an offset is of the topic that is read, and before anything is read of the one that its task says', async () => {
  const committed: CommitUnit[] = [];
  const session = { send: async () => undefined, commit: async (unit: CommitUnit) => void committed.push(unit) };
  const begins = { topic: 'in', partition: 0, offset: 0, topicId: 'made-anew', leaderEpoch: 3 };
  const origins = [{}, { topicId: 'read', leaderEpoch: 4 }, { topicId: undefined, leaderEpoch: undefined }];
  const committer = new Committer({
    tasks: new Map(),
    clock: systemClock,
    atomic: true,
    session: () => ({ session: session as unknown as GroupSession, generation: 1 }),
    changelog: () => undefined,
    origin: () => origins.shift() ?? {},
    outputs: { take: () => [], recycle: () => undefined },
    failed: () => false,
    schedule: () => undefined,
    fail: () => undefined,
  });
  const progress = { outputs: [], state: [], offsets: [begins], newest: [] };
  for (let time = 0; time < 3; time += 1) {
    await committer.settle(
      () => [progress],
      () => true,
    );
  }
  const read = { ...begins, topicId: 'read', leaderEpoch: 4 };
  expect(committed.map(({ offsets }) => offsets)).toEqual([[begins], [read], [begins]]);
});

test('a commit follows announcements that were sent ahead of it, and reports that they were not written', async () => {
  const task = { id: 'stage/0', dirty: false, pendingAsync: () => 0 } as unknown as Task;
  const tasks = new Map([[task.id, task]]);
  const said: string[] = ['announcement'];
  const commits: CommitUnit[] = [];
  let failure: unknown;
  const session = {
    send: async () => undefined,
    commit: async (unit: CommitUnit) => {
      commits.push(unit);
      throw new Error('the announcement was not written in time');
    },
  } as unknown as GroupSession;
  const committer = new Committer({
    tasks,
    clock: systemClock,
    atomic: false,
    session: () => ({ session, generation: 1 }),
    changelog: () => undefined,
    origin: () => ({}),
    outputs: { take: () => [], recycle: () => undefined },
    announcer: () => ({ announce: () => said.splice(0) as never[], due: false }),
    failed: () => failure !== undefined,
    schedule: () => undefined,
    fail: (error) => (failure ??= error),
  });
  expect(committer.owes).toBe(false);
  await committer.flush();
  expect(committer.owes).toBe(true);
  await expect(committer.commit()).rejects.toThrow('not written in time');
  expect(commits).toEqual([{ generation: 1, offsets: [], state: [] }]);
  expect(failure).toMatchObject({ message: 'the announcement was not written in time' });
  expect(committer.owes).toBe(false);
  await committer.flush();
  said.push('another one');
  await committer.flush();
  tasks.clear();
  expect(committer.owes, 'tasks that are gone begin again from what is committed').toBe(false);
});

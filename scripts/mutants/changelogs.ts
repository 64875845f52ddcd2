import type { Mutant, NamedTest } from './mutant.ts';

const commits: NamedTest = {
  file: 'src/runtime/app/changelog-commits.prop.test.ts',
  test: 'restores all stores of a task to the same commit, whatever a crash has left of later ones',
};

/** Faults of commits that are written in pieces. */
export const changelogMutants: readonly Mutant[] = [
  {
    name: 'torn-commit-counts',
    fault: 'a commit that has reached only some of the changelogs of a task counts in their stores',
    file: 'src/runtime/app/changelog.ts',
    text: 'this.#finish(replay, complete[at] === true, writer);',
    instead: 'this.#finish(replay, complete[at] !== undefined, writer);',
    caughtBy: [commits],
  },
  {
    name: 'undone-commit-comes-back',
    fault: 'what a restoration undoes is not written again, so that the next one takes it for valid',
    file: 'src/runtime/app/changelog.ts',
    text: 'if (replay.void.size > 0) this.#again.set',
    instead: 'if (replay.void.size > 1e9) this.#again.set',
    caughtBy: [commits],
  },
  {
    name: 'not-continued-commit-counts',
    fault: 'a commit counts although the next one of its store says that it was incomplete',
    file: 'src/runtime/app/changelog-replay.ts',
    text: 'commit.follows < this.#held.number',
    instead: 'commit.follows < 0 * this.#held.number',
    caughtBy: [commits],
  },
  {
    name: 'compacted-commits-told-apart',
    fault: 'what lies before a commit is taken for a part of it where compaction has removed the end of the one before',
    file: 'src/runtime/app/changelog-replay.ts',
    text: 'const isApart = this.#whole && commit !== undefined && commit.follows === this.complete;',
    instead: 'const isApart = this.#whole && commit !== undefined;',
    caughtBy: [commits],
  },
  {
    name: 'unfinished-commit-counts',
    fault: 'changes behind the last commit count, although the commit that they belong to did not get to its end',
    file: 'src/runtime/app/changelog-replay.ts',
    text: 'const dropsTail = this.complete !== undefined && this.#whole && !this.#tail.isEmpty;',
    instead: 'const dropsTail = this.complete === Number.MAX_VALUE;',
    caughtBy: [commits],
  },
];

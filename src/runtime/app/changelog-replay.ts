import { storesOf } from '../../log/offset-mark.ts';
import type { CommittedOffset, FetchedBatch } from '../../log/transport.ts';
import type { StoreId, StoreWrites } from '../../state/byte-store.ts';
import { INPUTS_STORE, readPositions, type StatePositions } from '../task/state-positions.ts';
import { type ChangelogCommit, commitIn } from './changelog-commit.ts';
import { asideOf, type Spell, storeKey } from './changelog-records.ts';
import { type ChangelogWriter, generationOf, mayBeOne, UNSAID, writerOf } from './changelog-writer.ts';
import { ofThisTopic } from './start-place.ts';

/** Changes of a commit that are held back until it is known to be complete; a larger commit is not undone. */
const HELD_BYTES = 32 * 1024 * 1024;

/** Where the replay of a changelog begins. */
export interface ReplayStart {
  readonly offset: number;
  /** The latest writer before it. */
  readonly latest: ChangelogWriter;
  /** What this process wrote itself before it stopped: rereading those records changes nothing in its store. */
  readonly mine: Spell;
  /** The last complete commit before it; `undefined` if commits had no numbers. */
  readonly commit: number | undefined;
}

/** A commit whose changes have been read, and the writer of its last record. */
interface HeldCommit extends ChangelogCommit {
  readonly writer: ChangelogWriter;
  readonly changes: Changes;
  readonly end: Mark;
  /** The positions that it has recorded. */
  readonly positions: Uint8Array;
}

/** A place in a changelog, and what was before it. */
export interface Mark {
  readonly offset: number;
  /** The latest writer. */
  readonly latest: ChangelogWriter;
  /** The last complete commit; `undefined` if commits had no numbers. */
  readonly commit: number | undefined;
}

/**
 * Reads the changelog of a store, from where the local store is, and decides which records count.
 *
 * - Records of an outdated writer do not: a process that had lost the task wrote them.
 * - The records of a commit count when a later one follows it. Whether the last one is complete is for the changelogs of
 *   all stores of the task to say ({@link completes}); until then its changes are held back.
 * - Records after the last commit belong to one that did not get to its end.
 *
 * Commits are told apart where their bookkeeping records have numbers, and compaction has left those on both sides.
 * Otherwise everything counts.
 */
export class ChangelogReplay {
  readonly id: StoreId;
  /** The latest writer so far. */
  latest: ChangelogWriter;
  /** The last complete commit; `undefined` while commits have no numbers. */
  complete: number | undefined;
  /** The highest number of a commit, complete or not. */
  highest: number;
  /** Keys of records that do not count, and whose valid values must be written again. */
  readonly void: Map<string, Uint8Array> = new Map();
  /** The outdated writers of ignored records, as generations. */
  readonly outdated: Set<number> = new Set();
  /** How many changes of the last, incomplete commit were dropped. */
  undone = 0;
  readonly #mine: Spell;
  readonly #heldBytes: number;
  #writerOfComplete: ChangelogWriter = UNSAID;
  #held: HeldCommit | undefined;
  #tail = new Changes();
  /** Whether the tail has everything since the end of the last commit. */
  #whole: boolean;
  #position: number;
  #sure = new Changes();
  /** The place up to which the changes that count have been returned. */
  #certain: Mark;
  /** Where that was before the first of the void keys. */
  #beforeVoid: Mark;

  constructor(id: StoreId, { commit, latest, mine, offset }: ReplayStart, heldBytes: number = HELD_BYTES) {
    this.#heldBytes = heldBytes;
    this.id = id;
    this.latest = latest;
    this.#mine = mine;
    this.complete = commit;
    this.highest = commit ?? 0;
    this.#certain = this.#beforeVoid = { offset, latest, commit };
    this.#position = offset;
    this.#whole = true;
  }

  /**
   * Where a later replay can continue: the changes up to there that count have been returned, and the valid values of keys with
   * others are written.
   */
  get certain(): Mark {
    return this.void.size > 0 ? this.#beforeVoid : this.#certain;
  }

  /** Reads a batch. @returns The changes that count for certain. */
  take(batch: FetchedBatch): StoreWrites[] {
    const { bytes, keyLength, keyStart, timestamp, valueLength, valueStart } = batch;
    for (let at = 0; at < batch.count; at += 1) {
      const length = keyLength[at] as number;
      // A record without a key was not written by the application.
      if (length < 0) continue;
      const keyAt = keyStart[at] as number;
      const key = bytes.slice(keyAt, keyAt + length);
      const aside = asideOf(key);
      const writer = writerOf(timestamp[at] as number);
      if (writer !== UNSAID && writer < this.latest) {
        if (writer >= this.#mine.since && this.latest <= this.#mine.latest) continue;
        if (aside === undefined) this.#ignore(key);
        this.outdated.add(generationOf(writer));
        continue;
      }
      this.latest = Math.max(this.latest, writer);
      const valueAt = valueStart[at] as number;
      const size = valueLength[at] as number;
      const value = size < 0 ? null : bytes.slice(valueAt, valueAt + size);
      if (aside === undefined) this.#change(key, value, writer);
      else {
        this.#position = batch.baseOffset + (batch.offsetDelta[at] as number) + 1;
        this.#bookkeeping(aside[0], value, writer, commitIn(batch.headers(at)));
      }
    }
    this.#position = batch.nextOffset;
    return this.#take();
  }

  /** Whether this changelog shows that a commit of another store of the task is complete. */
  completes({ follows, number }: ChangelogCommit, writer: ChangelogWriter): boolean {
    if (this.#held?.number === number) return mayBeOne(this.#held.writer, writer);
    const { complete = 0 } = this;
    if (complete === number) return mayBeOne(this.#writerOfComplete, writer);
    // A store without commits is new, or its changelog was deleted; it decides only about the first commit of all.
    return complete > number || (complete === 0 && this.#held === undefined && follows > 0);
  }

  /**
   * Whether the last commit is complete.
   *
   * @param others - The stores of the task.
   * @param before - The positions in the store without it.
   * @param committed - The committed offsets of the inputs: those of the application follow the changes of a commit.
   */
  isComplete(
    others: readonly ChangelogReplay[],
    before: StatePositions | undefined,
    committed: ReadonlyMap<string, CommittedOffset>,
  ): boolean {
    const held = this.#held;
    if (held === undefined) return true;
    for (const [topic, { offset }] of readPositions(held.positions)) {
      const known = ofThisTopic(committed.get(topic));
      // One that was set by hand, or by a pipeline without the store, says nothing about it.
      if (known === undefined || storesOf(known)?.has(this.id.store) !== true) continue;
      if (offset > (before?.get(topic)?.offset ?? 0) && offset <= known.offset) return true;
    }
    return others.every((other) => {
      return other === this || !held.stores.includes(other.id.store) || other.completes(held, held.writer);
    });
  }

  /** The end of the changelog was reached. @returns The last changes that count. */
  finish(isComplete: boolean): StoreWrites[] {
    const held = this.#held;
    const dropsTail = this.complete !== undefined && this.#whole && !this.#tail.isEmpty;
    if (held !== undefined && isComplete) this.#complete();
    else if (held !== undefined) {
      this.#held = undefined;
      this.undone += this.#drop(held.changes);
    }
    const dropped = held !== undefined && !isComplete;
    if (dropsTail) this.undone += this.#drop(this.#tail);
    else this.#sure.add(this.#tail);
    this.#tail = new Changes();
    // What was dropped is read again, until a commit has written the valid values of its keys.
    if (!dropped && !dropsTail) this.#certain = this.#here;
    return this.#sure.take(this.id);
  }

  get #here(): Mark {
    return { offset: this.#position, latest: this.latest, commit: this.complete };
  }

  #take(): StoreWrites[] {
    if (this.#held === undefined && this.#tail.isEmpty) this.#certain = this.#here;
    return this.#sure.take(this.id);
  }

  #change(key: Uint8Array, value: Uint8Array | null, writer: ChangelogWriter): void {
    if (this.complete === undefined) {
      this.#whole = false;
      this.#sure.put(key, value, writer);
      return;
    }
    this.#tail.put(key, value, writer);
    if (this.#tail.bytes <= this.#heldBytes) return;
    // Changes stay in order.
    this.#complete();
    this.#sure.add(this.#tail);
    this.#tail = new Changes();
    this.#whole = false;
  }

  #bookkeeping(
    store: string,
    value: Uint8Array | null,
    writer: ChangelogWriter,
    commit: ChangelogCommit | undefined | null,
  ): void {
    const writes: StoreWrites = { id: { ...this.id, store }, keys: [storeKey(this.id.store)], values: [value] };
    // From here on, commits have numbers.
    if (commit !== null) this.complete ??= 0;
    if (this.complete === undefined) {
      this.#sure.putAside(writes, writer);
      if (store === INPUTS_STORE) this.#whole = true;
      return;
    }
    this.#tail.putAside(writes, writer);
    if (store === INPUTS_STORE) this.#ended(commit ?? undefined, writer, value);
  }

  /** A commit ends here. */
  #ended(commit: ChangelogCommit | undefined, writer: ChangelogWriter, positions: Uint8Array | null): void {
    // The writer of the next commit knew whether this one was complete.
    if (this.#held !== undefined && commit !== undefined && commit.follows < this.#held.number) {
      this.#drop(this.#held.changes);
      this.#held = undefined;
    } else this.#complete();
    // Compaction may have removed the end of the commit before, so that this also holds what that has written.
    const isApart = this.#whole && commit !== undefined && commit.follows === this.complete;
    if (isApart) this.#dropOthers(writer);
    const changes = this.#tail;
    this.#tail = new Changes();
    this.#whole = true;
    // The keys that the commit writes have valid values now.
    if (this.void.size > 0) for (const key of changes.keys) this.void.delete(latin1(key));
    if (commit === undefined) {
      // A version that does not know numbers has written it, and may write changes without their positions.
      this.#sure.add(changes);
      this.#certain = this.#here;
      this.#whole = false;
      return;
    }
    this.highest = Math.max(this.highest, commit.number);
    if (isApart && commit.number > (this.complete ?? 0) && positions !== null) {
      this.#held = { ...commit, writer, changes, end: { ...this.#here, commit: commit.number }, positions };
      return;
    }
    this.#sure.add(changes);
    this.complete = Math.max(this.complete ?? 0, commit.number);
    this.#certain = this.#here;
    this.#writerOfComplete = writer;
  }

  #complete(): void {
    if (this.#held === undefined) return;
    const { changes, end, number, writer } = this.#held;
    this.#held = undefined;
    this.#sure.add(changes);
    this.#certain = end;
    this.complete = number;
    this.#writerOfComplete = writer;
  }

  /** Drops what another writer left of a commit that did not get to its end. */
  #dropOthers(writer: ChangelogWriter): void {
    if (writer === UNSAID || this.#tail.isOf(writer)) return;
    const [own, others] = this.#tail.split(writer);
    this.#drop(others);
    this.#tail = own;
  }

  #drop(changes: Changes): number {
    for (const key of changes.keys) this.#ignore(key);
    return changes.keys.length;
  }

  #ignore(key: Uint8Array): void {
    if (this.void.size === 0) this.#beforeVoid = this.#certain;
    this.void.set(latin1(key), key);
  }
}

/** Changes of a store and its bookkeeping, in order. */
class Changes {
  keys: Uint8Array[] = [];
  bytes = 0;
  #values: (Uint8Array | null)[] = [];
  #writers: ChangelogWriter[] = [];
  #asides: { readonly writes: StoreWrites; readonly writer: ChangelogWriter }[] = [];

  get isEmpty(): boolean {
    return this.keys.length === 0 && this.#asides.length === 0;
  }

  put(key: Uint8Array, value: Uint8Array | null, writer: ChangelogWriter): void {
    this.keys.push(key);
    this.#values.push(value);
    this.#writers.push(writer);
    this.bytes += key.length + (value?.length ?? 0);
  }

  putAside(writes: StoreWrites, writer: ChangelogWriter): void {
    this.#asides.push({ writes, writer });
  }

  add(other: Changes): void {
    if (this.isEmpty) {
      // Nothing is copied in the usual case.
      this.keys = other.keys;
      this.#values = other.#values;
      this.#writers = other.#writers;
      this.#asides = other.#asides;
      this.bytes = other.bytes;
      return;
    }
    for (let at = 0; at < other.keys.length; at += 1) {
      this.put(other.keys[at] as Uint8Array, other.#values[at] ?? null, other.#writers[at] as ChangelogWriter);
    }
    this.#asides.push(...other.#asides);
  }

  /** Whether all of it was written by one writer, or does not say by whom. */
  isOf(writer: ChangelogWriter): boolean {
    const isOther = (each: ChangelogWriter): boolean => each !== writer && each !== UNSAID;
    return !this.#writers.some(isOther) && !this.#asides.some((each) => isOther(each.writer));
  }

  /** What was written by a writer, or does not say by whom, and the rest. */
  split(writer: ChangelogWriter): [own: Changes, others: Changes] {
    const [own, others] = [new Changes(), new Changes()];
    const of = (each: ChangelogWriter): Changes => (each === writer || each === UNSAID ? own : others);
    for (let at = 0; at < this.keys.length; at += 1) {
      const each = this.#writers[at] as ChangelogWriter;
      of(each).put(this.keys[at] as Uint8Array, this.#values[at] ?? null, each);
    }
    for (const each of this.#asides) of(each.writer).putAside(each.writes, each.writer);
    return [own, others];
  }

  /** Returns everything as writes, and starts anew. */
  take(id: StoreId): StoreWrites[] {
    const writes = [{ id, keys: this.keys, values: this.#values }, ...this.#asides.map((each) => each.writes)];
    this.keys = [];
    this.#values = [];
    this.#writers = [];
    this.#asides = [];
    this.bytes = 0;
    return writes;
  }
}

function latin1(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

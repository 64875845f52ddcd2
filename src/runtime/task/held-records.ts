import type { Subscriber } from 'rxjs';
import { GroupSinks } from '../../dataflow/rxjs-groups.ts';
import {
  destinationOf,
  type Finalizer,
  finalizersOf,
  type Inside,
  isAction,
  isOperatorSubscriber,
  waits,
} from '../../dataflow/rxjs-inside.ts';
import type { Stream } from '../../dataflow/stream.ts';
import type { Finding } from '../../plan/operator-place.ts';

/** An output with several steps below it. */
interface Shared {
  readonly observed: boolean;
}

interface Watched extends Finding {
  readonly node: Inside;
  /** Its finalizers before the first record. */
  readonly base: readonly Finalizer[];
}

/**
 * Detects after each turn whether a plain RxJS operator still holds a record: an inner subscription or a scheduled
 * action that did not exist before the first record. Nothing may be in progress between turns, because the next commit
 * would go past it.
 *
 * It costs nothing per record: the subscriptions of a task are compared once per turn with their initial state.
 */
export class HeldRecords {
  readonly #streams = new Map<Inside, Stream<unknown>>();
  readonly #sources = new Set<Inside>();
  readonly #shared: { readonly stream: Stream<unknown>; readonly output: Shared }[] = [];
  readonly #watched: Watched[] = [];
  readonly #known = new Set<Finalizer>();
  readonly #groups = new GroupSinks();

  /** A subscriber below a stream of the pipeline. */
  watch(subscriber: Subscriber<never>, stream: Stream<unknown>): void {
    const node = subscriber as unknown as Inside;
    // Some operators, such as takeUntil, pass their own subscriber to their source.
    if (!this.#streams.has(node)) this.#streams.set(node, stream);
  }

  /** The only subscriber of a topic or port: when it closes, nobody reads that any more. */
  feed(subscriber: Subscriber<never>): void {
    this.#sources.add(subscriber as unknown as Inside);
  }

  /** A stream whose output goes to several subscribers. */
  share(stream: Stream<unknown>, output: Shared): void {
    this.#shared.push({ stream, output });
  }

  /**
   * Notes the state before the first record.
   *
   * @param roots - The ends of the pipeline.
   * @returns An operator that already waits for something.
   */
  start(roots: readonly unknown[]): Finding | undefined {
    const owned = (node: Inside, from: Finding): void => {
      if (this.#known.has(node)) return;
      this.#add(node, from);
      const side = from.side === 'self' && from.stream.spec.kind !== 'rxjs' ? 'above' : from.side;
      for (const inner of finalizersOf(node)) {
        if (typeof inner === 'function') this.#known.add(inner);
        else owned(inner, this.#streams.has(inner) ? this.#self(inner) : { stream: from.stream, side });
      }
    };
    for (const node of this.#streams.keys()) owned(node, this.#self(node));
    for (const [node, stream] of this.#streams) {
      for (let below = destinationOf(node); below !== undefined; below = destinationOf(below)) {
        owned(below, { stream, side: 'below' });
      }
    }
    return this.#watched.find(({ node }) => isAction(node)) ?? this.#waitsForNothing(roots);
  }

  /** @returns An operator that holds a record or will emit something later. */
  check(): Finding | undefined {
    if (this.#unchanged()) return undefined;
    for (const watched of this.#watched) {
      for (const finalizer of finalizersOf(watched.node)) {
        if (!this.#known.has(finalizer) && waits(finalizer, this.#groups)) return watched;
      }
    }
    return undefined;
  }

  /** @returns A stream whose records are lost, because an operator below it has ended. */
  ended(): Finding | undefined {
    for (const node of this.#sources) {
      if (node.closed) return { ...this.#self(node), side: 'below' };
    }
    const idle = this.#shared.find(({ output }) => !output.observed);
    return idle === undefined ? undefined : { stream: idle.stream, side: 'below' };
  }

  #self(node: Inside): Finding {
    return { stream: this.#streams.get(node) as Stream<unknown>, side: 'self' };
  }

  #add(node: Inside, from: Finding): void {
    this.#known.add(node);
    this.#watched.push({ ...from, node, base: [...finalizersOf(node)] });
    this.#groups.look(node);
  }

  /** An inner source of an operator that neither emits in turns nor ends: a promise. */
  #waitsForNothing(roots: readonly unknown[]): Finding | undefined {
    // Below a custom Observable of the program, subscribers need not be connected to anything visible.
    for (const [node, stream] of this.#streams) {
      const opaque = !isOperatorSubscriber(node) && destinationOf(node) === undefined;
      if (opaque && stream.spec.kind !== 'table' && !roots.includes(stream)) return undefined;
    }
    return this.#watched.find(
      ({ node }) =>
        !node.closed && isOperatorSubscriber(node) && finalizersOf(node).length === 0 && !this.#streams.has(node),
    );
  }

  #unchanged(): boolean {
    for (const { base, node } of this.#watched) {
      const now = finalizersOf(node);
      if (now.length !== base.length) return false;
      for (let index = 0; index < now.length; index += 1) if (now[index] !== base[index]) return false;
    }
    return true;
  }
}

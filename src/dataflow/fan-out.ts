import { Subscriber } from 'rxjs';

interface Branch<T> {
  readonly order: number;
  readonly subscriber: Subscriber<T>;
}

/**
 * An output with several steps below it. Each record goes to them in the order in which the program created them,
 * whichever sink was named first.
 */
export class FanOut<T> extends Subscriber<T> {
  #branches: readonly Branch<T>[] = [];

  /** Whether any step below still accepts records. */
  get observed(): boolean {
    return this.#branches.length > 0;
  }

  /** @param order - Creation order of the step below. Equal ones are ordered by subscription. */
  branch(order: number, subscriber: Subscriber<T>): void {
    const behind = this.#branches.findIndex((branch) => branch.order > order);
    const at = behind === -1 ? this.#branches.length : behind;
    this.#branches = [...this.#branches.slice(0, at), { order, subscriber }, ...this.#branches.slice(at)];
    subscriber.add(() => {
      this.#branches = this.#branches.filter((branch) => branch.subscriber !== subscriber);
    });
  }

  protected override _next(record: T): void {
    const branches = this.#branches;
    for (let at = 0; at < branches.length; at += 1) (branches[at] as Branch<T>).subscriber.next(record);
  }

  protected override _error(error: unknown): void {
    for (const { subscriber } of this.#branches) subscriber.error(error);
    this.unsubscribe();
  }

  protected override _complete(): void {
    for (const { subscriber } of this.#branches) subscriber.complete();
    this.unsubscribe();
  }
}

/** Runs work in the order of the calls, even if some of it must wait for its input. */
export class OrderedGate {
  /** Settles when the work of all calls so far has started; `undefined` if it has. */
  #tail: Promise<unknown> | undefined;

  /**
   * @param inputs - The inputs of the work, possibly as promises.
   * @param work - Called at once if all inputs are there and no earlier call waits, otherwise as soon as that is the
   * case.
   * @returns The outcome of the work, or the first failure of an input.
   */
  run<B, T>(inputs: readonly (B | Promise<B>)[], work: (ready: readonly B[]) => T | Promise<T>): T | Promise<T> {
    return this.#tail === undefined && allThere(inputs) ? work(inputs) : this.#wait(inputs, work);
  }

  async #wait<B, T>(inputs: readonly (B | Promise<B>)[], work: (ready: readonly B[]) => T | Promise<T>): Promise<T> {
    const turn = Promise.allSettled([this.#tail, ...inputs]);
    this.#tail = turn;
    await turn;
    if (this.#tail === turn) this.#tail = undefined;
    return work(await Promise.all(inputs));
  }
}

function allThere<B>(inputs: readonly (B | Promise<B>)[]): inputs is readonly B[] {
  for (const input of inputs) if (input instanceof Promise) return false;
  return true;
}

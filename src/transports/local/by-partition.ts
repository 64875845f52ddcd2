/**
 * Values by topic and partition, looked up one after the other: joining both into one string would cost more than
 * everything else that is done for a batch of one record.
 */
export class ByPartition<T> {
  readonly #topics = new Map<string, Map<number, T>>();

  get(topic: string, partition: number): T | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  has(topic: string, partition: number): boolean {
    return this.#topics.get(topic)?.has(partition) === true;
  }

  set(topic: string, partition: number, value: T): void {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, new Map([[partition, value]]));
    else partitions.set(partition, value);
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic);
    if (partitions?.delete(partition) === true && partitions.size === 0) this.#topics.delete(topic);
  }

  /** @returns Whether there were any. */
  deleteTopic(topic: string): boolean {
    return this.#topics.delete(topic);
  }

  clear(): void {
    this.#topics.clear();
  }

  *values(): Generator<T> {
    for (const partitions of this.#topics.values()) yield* partitions.values();
  }
}

/** How long a replay that says nothing keeps others out, in ms: it was probably killed. */
export const SILENT_MS = 60_000;

/** Whose turn it is to replay the letters of a topic, as their common log says: the order of its records decides. */
export class ReplayTurn {
  /** This replay, among all others. */
  readonly id: string = crypto.randomUUID();
  #holder: { readonly id: string; heardAt: number } | undefined;

  /** Whether it is the turn of this replay. */
  get isOwn(): boolean {
    return this.#holder?.id === this.id;
  }

  /**
   * A replay has said something. While another one has its turn, that is no claim.
   *
   * @param at - Timestamp of the record, in ms.
   * @param over - Whether it has done what it wanted.
   */
  hear(id: string, at: number, over: boolean): void {
    const holder = this.#holder;
    if (holder?.id === id) {
      if (over) this.#holder = undefined;
      else holder.heardAt = Math.max(holder.heardAt, at);
    } else if (!over && (holder === undefined || at - holder.heardAt > SILENT_MS)) {
      this.#holder = { id, heardAt: at };
    }
  }
}

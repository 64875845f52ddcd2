import type { PaneGroup } from './pane.ts';

/** The windows with panes in memory, in the order in which they were added. */
export class RecentGroups<K, A> {
  #first: PaneGroup<K, A> | undefined;
  #last: PaneGroup<K, A> | undefined;

  get first(): PaneGroup<K, A> | undefined {
    return this.#first;
  }

  add(group: PaneGroup<K, A>): void {
    group.before = this.#last;
    if (this.#last === undefined) this.#first = group;
    else this.#last.after = group;
    this.#last = group;
  }

  delete(group: PaneGroup<K, A>): void {
    const { after, before } = group;
    if (before !== undefined) before.after = after;
    else if (this.#first === group) this.#first = after;
    if (after !== undefined) after.before = before;
    else if (this.#last === group) this.#last = before;
    group.before = undefined;
    group.after = undefined;
  }
}

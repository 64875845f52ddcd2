import type { ShuffleWriter } from '../../plan/shuffles.ts';
import { inOneLife, isEarlier } from '../../protocol/epoch.ts';

/** What a task counts for that has read its input to the end. */
const AT_END = Number.POSITIVE_INFINITY;
/** What a task counts for that was not heard of. */
const NOWHERE = -1;
/** Of announcements that do not say in which generation they were made, and of tasks that were not heard of. */
const UNSAID = 0;
/** So many earlier lives of the group are remembered. */
const FORMER_LIVES = 4;

/** What the tasks of one stage have announced, and in which generation of their group each of them has said so. */
export class HeardStage {
  readonly number: number;
  readonly alone: boolean;
  readonly #name: string;
  readonly #tasks: number;
  /** By partition; infinity for one that has read its input to the end. */
  readonly #times: number[] = [];
  readonly #epochs: number[] = [];
  /** The last generation of which something was heard. */
  #newest = UNSAID;
  /** The last generations of earlier lives of the group. */
  readonly #former: number[] = [];

  /** @param described - What {@link describe} said. */
  constructor({ alone, number, stage, tasks }: ShuffleWriter, described = '') {
    this.number = number;
    this.alone = alone;
    this.#name = stage.name;
    this.#tasks = tasks;
    for (const text of described.split(';')) {
      const [stage, ...rest] = text.split(':');
      if (stage === number.toString(36)) this.#restore(rest);
    }
  }

  #restore([least = '', caughtUp = '', count = '0', epochs = '']: readonly string[]): void {
    const [said = '', which] = epochs.split('/');
    const known = said.split('.').map((epoch) => Number.parseInt(epoch, 36) || UNSAID);
    const indexes = which?.split('.');
    this.#newest = known[0] ?? UNSAID;
    for (let at = 0; at < Number(count); at += 1) {
      const digit = Number.parseInt(caughtUp[Math.floor(at / 5)] ?? '0', 32);
      this.#times[at] = (digit & (1 << (at % 5))) !== 0 ? AT_END : Number.parseInt(least, 36);
      this.#epochs[at] = known[indexes === undefined ? 0 : Number(indexes[at])] ?? UNSAID;
    }
  }

  /** One that reads what a pattern has not found yet has none, and holds nobody up. */
  get hasTasks(): boolean {
    return this.#tasks > 0;
  }

  /**
   * A task has spoken. What one has said whose process had lost it before may come late, at least once: nothing changes by that.
   *
   * @param own - The generation in which the listener works.
   */
  hear(partition: number, time: number, caughtUp: boolean, epoch: number, own: number): void {
    if (isEarlier(epoch, this.#epochs[partition] ?? UNSAID) || !this.#isNews(epoch, own)) return;
    while (this.#times.length <= partition) {
      this.#times.push(NOWHERE);
      this.#epochs.push(UNSAID);
    }
    const before = this.#times[partition] as number;
    this.#epochs[partition] = epoch;
    if (caughtUp) this.#times[partition] = AT_END;
    else this.#times[partition] = before === AT_END ? time : Math.max(before, time);
  }

  /** Whether a generation may have come after those that others have spoken in. */
  #isNews(epoch: number, own: number): boolean {
    if (epoch === UNSAID) return true;
    if (inOneLife(epoch, this.#newest)) {
      if (isEarlier(this.#newest, epoch)) this.#newest = epoch;
      return true;
    }
    const at = this.#former.findIndex((former) => inOneLife(former, epoch));
    // Of the generation that it works in itself the listener knows that it is the last one.
    if (at >= 0 && epoch !== own && !isEarlier(this.#former[at] as number, epoch)) return false;
    if (at >= 0) this.#former.splice(at, 1);
    if (this.#newest !== UNSAID) this.#former.push(this.#newest);
    if (this.#former.length > FORMER_LIVES) this.#former.shift();
    this.#newest = epoch;
    return true;
  }

  /** In which generation all of its tasks have spoken last; `undefined` while these differ, or one was not heard of. */
  epoch(): number | undefined {
    const first = this.#epochs[0];
    for (let partition = 0; partition < this.#tasks; partition += 1) {
      if (partition >= this.#times.length || this.#epochs[partition] !== first) return undefined;
    }
    return first;
  }

  /** @param ends - Whether tasks that have read their inputs to the end are believed; else they are nowhere. */
  least(ends: boolean): number {
    let least = AT_END;
    for (let partition = 0; partition < this.#tasks; partition += 1) {
      least = Math.min(least, this.#timeOf(partition, ends));
    }
    return least;
  }

  /** The task that is least far; `undefined` when all have read their inputs to the end. */
  slowest(ends: boolean, epoch: number): { readonly task: string; readonly time: number } | undefined {
    const least = this.least(ends);
    if (least === AT_END) return undefined;
    let found: number | undefined;
    for (let partition = 0; partition < this.#tasks; partition += 1) {
      const isLeast = this.#timeOf(partition, ends) === least;
      if (isLeast) found ??= partition;
      // While ends are not believed, the one that has not spoken yet is to blame.
      const isMissing = least === NOWHERE && this.#epochs[partition] !== epoch;
      if (isMissing || (isLeast && least !== NOWHERE)) return { task: `${this.#name}/${partition}`, time: least };
    }
    return found === undefined ? undefined : { task: `${this.#name}/${found}`, time: least };
  }

  #timeOf(partition: number, ends: boolean): number {
    const time = this.#times[partition] ?? NOWHERE;
    return ends || time !== AT_END ? time : NOWHERE;
  }

  /** In a few characters, because it goes with each commit: the least time, who has read its input to the end, and since when. */
  describe(): string {
    const times = this.#times;
    const behind = times.filter((time) => time !== AT_END);
    const least = behind.reduce((low, time) => Math.min(low, time), behind[0] ?? NOWHERE);
    let caughtUp = '';
    for (let at = 0; at < times.length; at += 5) {
      let digit = 0;
      for (let bit = 0; bit < 5; bit += 1) if (times[at + bit] === AT_END) digit |= 1 << bit;
      caughtUp += digit.toString(32);
    }
    // The last one is told first.
    const said = [...new Set(times.length === 0 ? [] : [this.#newest, ...this.#epochs])];
    const which = said.length > 1 ? `/${this.#epochs.map((epoch) => said.indexOf(epoch)).join('.')}` : '';
    const epochs = said.map((epoch) => epoch.toString(36)).join('.') + which;
    return `${this.number.toString(36)}:${least.toString(36)}:${caughtUp}:${times.length}:${epochs}`;
  }
}

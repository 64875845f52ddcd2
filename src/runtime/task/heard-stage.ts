import type { ShuffleWriter } from '../../plan/shuffles.ts';
import { inOneLife, isEarlier } from '../../protocol/epoch.ts';

/** The time of a task that has read its input to the end. */
const AT_END = Number.POSITIVE_INFINITY;
/** The time of a task without an announcement. */
const NOWHERE = -1;
/** The generation of announcements that do not contain one, and of tasks without an announcement. */
const UNSAID = 0;
/** How many earlier lives of the group are remembered. */
const FORMER_LIVES = 4;

/** The announcements of the tasks of one stage, with the group generation of each. */
export class HeardStage {
  readonly number: number;
  readonly alone: boolean;
  readonly #name: string;
  readonly #tasks: number;
  /** By partition; infinity for a task that has read its input to the end. */
  readonly #times: number[] = [];
  readonly #epochs: number[] = [];
  /** The newest generation in an announcement. */
  #newest = UNSAID;
  /** The last generations of earlier lives of the group. */
  readonly #former: number[] = [];

  /** @param described - The result of an earlier {@link describe}. */
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

  /** A stage whose pattern has matched nothing yet has no tasks and holds nobody back. */
  get hasTasks(): boolean {
    return this.#tasks > 0;
  }

  /**
   * Handles an announcement of a task. With at-least-once, an announcement of a process that had already lost the task
   * may arrive late: it is ignored.
   *
   * @param own - The current generation of the listener.
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

  /** Whether a generation may be newer than those of the other announcements. */
  #isNews(epoch: number, own: number): boolean {
    if (epoch === UNSAID) return true;
    if (inOneLife(epoch, this.#newest)) {
      if (isEarlier(this.#newest, epoch)) this.#newest = epoch;
      return true;
    }
    // While the listener is a member, the life of its generation goes on: what comes from another one after that is late, also
    // where nothing of that life has been heard before. So it is with a write that was in doubt when all processes ended.
    if (own !== UNSAID && this.#newest !== UNSAID && inOneLife(this.#newest, own) && !inOneLife(epoch, own))
      return false;
    const at = this.#former.findIndex((former) => inOneLife(former, epoch));
    // The listener knows that its own generation is the latest.
    if (at >= 0 && epoch !== own && !isEarlier(this.#former[at] as number, epoch)) return false;
    if (at >= 0) this.#former.splice(at, 1);
    if (this.#newest !== UNSAID) this.#former.push(this.#newest);
    if (this.#former.length > FORMER_LIVES) this.#former.shift();
    this.#newest = epoch;
    return true;
  }

  /** The generation of the last announcements of all its tasks; `undefined` while they differ or one is missing. */
  epoch(): number | undefined {
    const first = this.#epochs[0];
    for (let partition = 0; partition < this.#tasks; partition += 1) {
      if (partition >= this.#times.length || this.#epochs[partition] !== first) return undefined;
    }
    return first;
  }

  /**
   * @param ends - Whether announcements of the end of an input are trusted; otherwise such tasks count as not
   * announced.
   */
  least(ends: boolean): number {
    let least = AT_END;
    for (let partition = 0; partition < this.#tasks; partition += 1) {
      least = Math.min(least, this.#timeOf(partition, ends));
    }
    return least;
  }

  /** The task that is furthest behind; `undefined` if all have read their inputs to the end. */
  slowest(ends: boolean, epoch: number): { readonly task: string; readonly time: number } | undefined {
    const least = this.least(ends);
    if (least === AT_END) return undefined;
    let found: number | undefined;
    for (let partition = 0; partition < this.#tasks; partition += 1) {
      const isLeast = this.#timeOf(partition, ends) === least;
      if (isLeast) found ??= partition;
      // While ends are not trusted, the task that has not announced yet is the slowest.
      const isMissing = least === NOWHERE && this.#epochs[partition] !== epoch;
      if (isMissing || (isLeast && least !== NOWHERE)) return { task: `${this.#name}/${partition}`, time: least };
    }
    return found === undefined ? undefined : { task: `${this.#name}/${found}`, time: least };
  }

  #timeOf(partition: number, ends: boolean): number {
    const time = this.#times[partition] ?? NOWHERE;
    return ends || time !== AT_END ? time : NOWHERE;
  }

  /**
   * A compact description, because it is part of each commit: the lowest time, which tasks have read their input to the
   * end, and the generations.
   */
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
    // The newest one comes first.
    const said = [...new Set(times.length === 0 ? [] : [this.#newest, ...this.#epochs])];
    const which = said.length > 1 ? `/${this.#epochs.map((epoch) => said.indexOf(epoch)).join('.')}` : '';
    const epochs = said.map((epoch) => epoch.toString(36)).join('.') + which;
    return `${this.number.toString(36)}:${least.toString(36)}:${caughtUp}:${times.length}:${epochs}`;
  }
}

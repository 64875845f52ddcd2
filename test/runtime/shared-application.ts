import { Instance } from './several-instances.ts';
import { backlog, expected, program, rowsOf, type Shape } from './shuffle-time.ts';
import { FaultyLog, until } from './support.ts';

/** An application of which several instances can run, with nothing but its log at first. */
export class SharedApplication {
  readonly log = new FaultyLog();
  readonly instances: Instance[] = [];
  readonly #shape: Shape;
  readonly #parts: ReturnType<typeof program>;
  readonly #records: ReturnType<typeof backlog>;
  #published = 0;
  #late = 0;

  constructor(shape: Shape, records: number) {
    this.#shape = shape;
    this.#parts = program(shape);
    this.#records = backlog(records);
    for (const [{ name }, partitions] of this.#parts.sizes) this.log.create(name, partitions);
  }

  publish(count: number): void {
    const from = this.#published;
    this.#published += count;
    this.log.publish(this.#parts.source, this.#records.slice(from, this.#published));
  }

  start(slow = false): Instance {
    const started = new Instance(this.log.log, this.#parts.pipeline, slow);
    this.instances.push(started);
    return started;
  }

  /** Waits until nothing more is written, by anybody. */
  async quiet(): Promise<void> {
    let before = -1;
    let same = 0;
    await until('nothing more is written', () => {
      const now = this.#written();
      same = now === before ? same + 1 : 0;
      before = now;
      return same > 100;
    });
  }

  #written(): number {
    let written = 0;
    for (const { name } of this.#parts.sizes.keys()) {
      for (const end of this.log.log.offsets(name, 'latest').values()) written += end;
    }
    return written;
  }

  /** Ends all instances, each in its own way. */
  async end(how: 'stop' | 'kill'): Promise<void> {
    await Promise.all(this.instances.map((each) => (how === 'stop' ? each.stop() : each.kill())));
    for (const { app } of this.instances.splice(0)) this.#late += app.snapshot().late;
  }

  /** Closes what is open. @returns The rows, and how many records were late. */
  async rows(): Promise<{ readonly late: number; readonly rows: ReadonlyMap<string, number> }> {
    const last = this.log.run(this.#parts.pipeline, { until: 'end', openWindows: 'close' });
    await last.done;
    return { late: this.#late + last.snapshot().late, rows: rowsOf(this.log.read(this.#parts.out)) };
  }

  wanted(): { readonly late: number; readonly rows: ReadonlyMap<string, number> } {
    return { late: 0, rows: expected(this.#published, this.#shape) };
  }
}

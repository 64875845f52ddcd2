import type { OpenTransport } from '../../../src/log/transport.ts';
import type { EmbeddedLog } from '../../../src/transports/embedded/embedded-log.ts';
import { EmbeddedTransport, type OpenFolder } from '../../../src/transports/embedded/folder-transport.ts';
import type { Input } from '../inputs.ts';
import { APPLICATION, type Ground, type Instance } from '../instance.ts';
import type { Random } from '../random.ts';
import type { Host, World } from '../world.ts';
import { Client } from './client.ts';
import { ModelFolder } from './folder.ts';
import type { LocalFault } from './local-plan.ts';
import { LogTopicReader } from './log-topic-reader.ts';
import { type Disk, ModelFile, SOUND } from './model-file.ts';
import type { Side } from './side.ts';

const NO_SPACE = 28;
const IO_ERROR = 5;
/** How long it waits before it tries again, in ms. */
const AGAIN_MS = 50;

/** The embedded log on a simulated disk: processes of the application, a client that writes, and who looks on. */
export class EmbeddedSide implements Side {
  readonly #world: World;
  readonly #random: Random;
  readonly #topics: ReadonlyMap<string, number>;
  readonly #folder: ModelFolder;
  readonly #client: Client;
  readonly #seen: LogTopicReader;
  readonly #there = new Map<number, number>();
  readonly #grounds = new Map<Host, OpenFolder>();
  readonly #troubles = new Set<Partial<Disk>>();
  #observer: OpenFolder | undefined;
  /** The processes of the application, once there are any. */
  instances: readonly Instance[] = [];

  constructor(world: World, random: Random, topics: ReadonlyMap<string, number>, together: number) {
    this.#world = world;
    this.#random = random;
    this.#topics = topics;
    const file = new ModelFile(world, random.branch('disk'));
    this.#folder = new ModelFolder(file, world, random.branch('folder'));
    this.#seen = this.reader('source');
    this.#client = new Client(world, this.#folder, random.branch('client'), together, () => this.#offsets());
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#folder.file.counts;
  }

  async begin(): Promise<void> {
    const host = this.#world.host('observer');
    let isReady = false;
    const begun = this.#folder.open(host).then(async (folder) => {
      this.#observer = folder;
      const topics = [...this.#topics].map(([name, partitions]) => ({ name, partitions, config: {} }));
      await new EmbeddedTransport(folder, false).topics.createAll(topics);
      isReady = true;
    });
    await this.#world.until(() => isReady, this.#world.now + 1000);
    await begun;
    this.#client.start();
  }

  ground(takesOver: boolean): Ground {
    return {
      begin: (host): OpenTransport => {
        return async () => {
          const folder = await this.#folder.open(host);
          this.#grounds.set(host, folder);
          return new EmbeddedTransport(folder, takesOver);
        };
      },
      died: (host) => {
        this.#grounds.delete(host);
        this.#folder.died(host);
      },
    };
  }

  write(inputs: readonly Input[]): void {
    this.#client.add(inputs);
  }

  get isWritten(): boolean {
    return this.#client.isDone;
  }

  /** Tries it again where the disk does not let it. */
  grow(partitions: number): void {
    const admin = new EmbeddedTransport(this.#observer as OpenFolder, false).topics;
    void admin.addPartitions('source', partitions).catch(() => this.#after(AGAIN_MS, () => this.grow(partitions)));
  }

  look(): void {
    this.#log.refresh();
  }

  reader(topic: string): LogTopicReader {
    return new LogTopicReader(
      topic,
      () => this.#log.catalog.topics().get(topic)?.partitions ?? 0,
      (partition, offset) => this.#log.reader.read(topic, partition, offset),
    );
  }

  committed(topic: string): ReadonlyMap<number, number> {
    const partitions = this.#log.catalog.topics().get(topic)?.partitions ?? 0;
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    return new Map(this.#log.committed(APPLICATION, places).map(({ offset, partition }) => [partition, offset]));
  }

  rebalance(lost: boolean): void {
    for (const { log } of this.#grounds.values()) {
      if (lost) log.groups.expel(APPLICATION);
      else log.groups.reassign(APPLICATION);
    }
  }

  cause({ forMs, kind }: LocalFault): boolean {
    switch (kind) {
      case 'power cut':
        for (const instance of this.instances) instance.kill();
        this.#client.kill();
        this.#folder.boot();
        this.#log.refresh();
        this.#after(forMs, () => this.#client.start());
        return true;
      case 'crash of the writer':
        this.#client.kill();
        this.#after(forMs, () => this.#client.start());
        return true;
      case 'full disk':
        this.#trouble(
          forMs,
          this.#random.chance(0.5) ? { freeBytes: 1000 } : { failing: this.#random.next(), failure: NO_SPACE },
        );
        return true;
      case 'failed commits':
        this.#trouble(forMs, { failing: 0.5, failure: IO_ERROR });
        return true;
      case 'transactions refused':
        this.#trouble(forMs, { refusing: this.#random.pick([0.3, 1]), failure: NO_SPACE });
        return true;
      case 'slow disk':
        this.#trouble(forMs, { commitMs: this.#random.pick([50, 500, 4000]) });
        return true;
      case 'maintenance':
        for (const folder of this.#grounds.values()) void folder.maintain(undefined, true).catch(() => undefined);
        return true;
      default:
        return false;
    }
  }

  wrong(): string[] {
    const there = this.#offsets();
    return Array.from(this.#client.acknowledged).flatMap(([id, offset]) => {
      const found = there.get(id);
      return found === offset ? [] : [`wrong: ${id} is at ${found}, and its writer was told ${offset}`];
    });
  }

  heal(): void {
    this.#troubles.clear();
    this.#folder.file.disk = SOUND;
    this.#client.start();
  }

  get #log(): EmbeddedLog {
    return (this.#observer as OpenFolder).log;
  }

  #offsets(): ReadonlyMap<number, number> {
    this.look();
    for (const { offset, value } of this.#seen.more()) this.#there.set(Number(value), offset);
    return this.#there;
  }

  #trouble(forMs: number, change: Partial<Disk>): void {
    const now = (): void => {
      this.#folder.file.disk = Object.assign({ ...SOUND }, ...this.#troubles) as Disk;
    };
    this.#troubles.add(change);
    now();
    this.#after(forMs, () => {
      this.#troubles.delete(change);
      now();
    });
  }

  #after(ms: number, run: () => void): void {
    this.#world.at(this.#world.host('plan'), this.#world.now + ms, 'plan', run);
  }
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificates } from './certificates.ts';
import { KAFKA_VERSION, kafkaClassPath } from './java.ts';
import { gone, isAlive, launch, logSize, ready } from './node.ts';
import { freePorts } from './ports.ts';
import { type Credentials, type NodePlan, nodeProperties, portUses } from './properties.ts';

const run = promisify(execFile);

export interface KafkaClusterOptions {
  /** Where configuration, data and logs go; created when missing. */
  readonly folder: string;
  /** Version of Kafka (4.3.1). */
  readonly version?: string;
  /** Number of nodes, each a broker and a controller (1). */
  readonly nodes?: number;
  /** Further settings of the brokers, by Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Options of the Java processes; the default starts faster and runs slower. */
  readonly javaOptions?: readonly string[];
}

interface Plan {
  readonly version: string;
  readonly nodes: readonly NodePlan[];
  readonly javaOptions: readonly string[];
  readonly pids: Record<number, number>;
}

/** For tests: little memory, and it starts faster than it runs. */
const SMALL_AND_SOON = ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

const planFile = (folder: string): string => join(folder, 'cluster.json');

/** The user of the SASL listeners, for PLAIN and for both SCRAM mechanisms. */
export const saslUser: Credentials = { user: 'alice', password: 'alice-secret' };

/** A Kafka cluster of Java processes on this machine. */
export class KafkaCluster {
  readonly folder: string;
  readonly #plan: Plan;
  readonly #classPath: string;

  private constructor(folder: string, plan: Plan, classPath: string) {
    this.folder = folder;
    this.#plan = plan;
    this.#classPath = classPath;
  }

  /** Formats storage and starts all nodes; resolves when they are ready. */
  static async start(options: KafkaClusterOptions): Promise<KafkaCluster> {
    const { version = KAFKA_VERSION } = options;
    // Nodes are started in folders of their own.
    const folder = resolve(options.folder);
    const classPath = await kafkaClassPath(version);
    const count = options.nodes ?? 1;
    const ports = await freePorts(count * portUses.length);
    const nodes = Array.from({ length: count }, (_, i) => ({
      id: i + 1,
      folder: join(folder, `node-${i + 1}`),
      ports: Object.fromEntries(portUses.map((use) => [use, ports.pop()!])) as NodePlan['ports'],
    }));
    const tls = join(folder, 'tls');
    await makeCertificates(tls);
    const clusterId = randomBytes(16).toString('base64url');
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${saslUser.user},password=${saslUser.password}]`,
    ]);
    await Promise.all(
      nodes.map(async (node) => {
        await mkdir(node.folder, { recursive: true });
        const properties = join(node.folder, 'server.properties');
        await writeFile(properties, nodeProperties(node, nodes, tls, saslUser, options.settings));
        const tool = ['-XX:TieredStopAtLevel=1', '-cp', classPath, 'kafka.tools.StorageTool'];
        // In one argument, because an id may begin with a dash.
        await run('java', [...tool, 'format', `--cluster-id=${clusterId}`, '-c', properties, ...scram]);
      }),
    );
    const javaOptions = options.javaOptions ?? SMALL_AND_SOON;
    const cluster = new KafkaCluster(folder, { version, nodes, javaOptions, pids: {} }, classPath);
    await cluster.restart();
    return cluster;
  }

  /** A cluster that was started before, possibly by another process; `undefined` when there is none. */
  static async find(folder: string): Promise<KafkaCluster | undefined> {
    const text = await readFile(planFile(folder), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const plan = JSON.parse(text) as Plan;
    return new KafkaCluster(folder, plan, await kafkaClassPath(plan.version));
  }

  /** Addresses without encryption and authentication. */
  get brokers(): readonly string[] {
    return this.#plan.nodes.map(({ ports }) => `127.0.0.1:${ports.plain}`);
  }

  /** Addresses with TLS. */
  get tlsBrokers(): readonly string[] {
    return this.#plan.nodes.map(({ ports }) => `localhost:${ports.tls}`);
  }

  /** Addresses with SASL, without encryption. */
  get saslBrokers(): readonly string[] {
    return this.#plan.nodes.map(({ ports }) => `127.0.0.1:${ports.sasl}`);
  }

  /** Addresses with SASL over TLS. */
  get saslTlsBrokers(): readonly string[] {
    return this.#plan.nodes.map(({ ports }) => `localhost:${ports.both}`);
  }

  /** The certificate of the authority that signed those of the brokers, as PEM. */
  authority(): Promise<string> {
    return readFile(join(this.folder, 'tls', 'ca.crt'), 'utf8');
  }

  get nodeIds(): readonly number[] {
    return this.#plan.nodes.map(({ id }) => id);
  }

  /** Whether a node's process is there. */
  isRunning(id: number): boolean {
    const pid = this.#plan.pids[id];
    const node = this.#plan.nodes.find((one) => one.id === id);
    return node !== undefined && pid !== undefined && isAlive(node, pid);
  }

  /** The process of a node, for signals; `undefined` when it is not running. */
  pidOf(id: number): number | undefined {
    return this.isRunning(id) ? this.#plan.pids[id] : undefined;
  }

  /** Starts those of the nodes that are not running, on the data that they have; resolves when they are ready. */
  async restart(ids: readonly number[] = this.nodeIds): Promise<void> {
    await Promise.all(
      this.#plan.nodes.map(async (node) => {
        if (!ids.includes(node.id) || this.isRunning(node.id)) return;
        const from = await logSize(node);
        const child = await launch(node, this.#classPath, this.#plan.javaOptions);
        const { pid } = child;
        if (pid === undefined) throw new Error('java cannot be started');
        child.unref();
        this.#plan.pids[node.id] = pid;
        await this.#save();
        await ready(node, pid, from);
      }),
    );
  }

  /** Stops nodes as an administrator would. */
  stop(ids: readonly number[] = this.nodeIds): Promise<void> {
    return this.#signal('SIGTERM', ids);
  }

  /** Ends the processes of nodes without warning. */
  kill(ids: readonly number[] = this.nodeIds): Promise<void> {
    return this.#signal('SIGKILL', ids);
  }

  /** Ends everything and removes the folder. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #signal(signal: NodeJS.Signals, ids: readonly number[]): Promise<void> {
    await Promise.all(
      this.#plan.nodes.map(async (node) => {
        const pid = this.pidOf(node.id);
        if (pid === undefined || !ids.includes(node.id)) return;
        process.kill(pid, signal);
        await gone(node, pid);
      }),
    );
  }

  #save(): Promise<void> {
    return writeFile(planFile(this.folder), JSON.stringify(this.#plan));
  }
}

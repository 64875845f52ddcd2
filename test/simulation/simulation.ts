import { ensureCodec } from '../../src/protocol/compression.ts';
import { simulateKafka } from './kafka-simulation.ts';
import { simulateLocal } from './local/local-simulation.ts';
import type { LogKind, Outcome, SimulateOptions } from './outcome.ts';
import { Random } from './random.ts';

export { LOG_KINDS, type LogKind, type Outcome } from './outcome.ts';

/** One run of the real runtime and of a transport in a world that the seed decides. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  // Loading takes time of the machine, and only once.
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) await ensureCodec(codec);
  const random = new Random(seed);
  const { on = kindOf(random.branch('kind')) } = options;
  return on === 'kafka' ? simulateKafka(seed, random, options) : simulateLocal(seed, on, random, options);
}

/** Kafka has by far the most that can go wrong, and takes by far the most time. */
function kindOf(random: Random): LogKind {
  const part = random.next();
  if (part < 0.3) return 'kafka';
  return part < 0.65 ? 'embedded' : 'memory';
}

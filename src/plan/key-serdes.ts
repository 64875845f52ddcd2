import { ConfigError } from '../errors.ts';
import type { Serde } from '../serdes/serde.ts';
import type { PlannedNode } from './plan.ts';

/** What planning knows about the keys at one place: their serde, that they have changed, or that there are none. */
type Keys = Serde<unknown> | 'changed' | 'none' | Mixed;

/** Keys that are written by two serdes: equal keys have different bytes and are in different partitions. */
class Mixed {
  readonly left: Serde<unknown>;
  readonly right: Serde<unknown>;

  constructor(left: Serde<unknown>, right: Serde<unknown>) {
    this.left = left;
    this.right = right;
  }
}

/** Tracks keys from topics down to the steps that need them. */
export class KeySerdes {
  readonly #known = new Map<PlannedNode, Keys>();

  /** The serde of the keys that reach a node, or `undefined`. */
  reaching(node: PlannedNode): Serde<unknown> | undefined {
    const found = this.#above(node);
    return typeof found === 'string' || found instanceof Mixed ? undefined : found;
  }

  /** @throws ConfigError `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_KEY_SERDES`. */
  require(node: PlannedNode, stage: string): Serde<unknown> {
    // An input without keys is a mistake even if other inputs have keys, as when a stream is joined with a table.
    const found = [...node.upstream].some((above) => this.#out(above) === 'none') ? 'none' : this.#above(node);
    if (found instanceof Mixed) {
      throw new ConfigError(
        'ERR_KEY_SERDES',
        `${node.step}: keys come as ${found.left.name} and as ${found.right.name}`,
        {
          stage,
          hint:
            'the same key would have two encodings, and its records would be in two partitions: read all topics that meet here with the ' +
            'same key serde, or choose keys with keyBy(…) and pipe them through(topic)',
        },
      );
    }
    if (typeof found !== 'string') return found;
    if (found === 'changed') {
      throw new ConfigError(
        'ERR_KEY_CHANGED',
        `${node.step}: key changed: pipe through(topic) before a stateful operator`,
        {
          stage,
          hint: 'records with a new key are still in the partition of the old key: add through(topic) after the key changes',
        },
      );
    }
    throw new ConfigError('ERR_NO_KEY', `${node.step} needs a key, but the topics above it have none`, {
      stage,
      hint: 'give the topic a key serde, or choose a key with keyBy(…) and pipe it through(topic)',
    });
  }

  #above(node: PlannedNode): Keys {
    let result: Keys = 'none';
    for (const above of node.upstream) {
      const found = this.#out(above);
      if (found === 'changed' || found instanceof Mixed) return found;
      if (found === 'none') continue;
      if (typeof result !== 'string' && !(result instanceof Mixed) && !sameKeys(result, found)) {
        return new Mixed(result, found);
      }
      result = found;
    }
    return result;
  }

  /** The keys of a node's output. */
  #out(node: PlannedNode): Keys {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    this.#known.set(node, 'none');
    const found = this.#leaving(node);
    this.#known.set(node, found);
    return found;
  }

  #leaving(node: PlannedNode): Keys {
    if (node.spec.traits.changesKey === true) return 'changed';
    if (node.spec.kind === 'source' || node.spec.kind === 'table') return node.spec.topics?.[0]?.key ?? 'none';
    return this.#above(node);
  }
}

/** Whether two serdes write a key as the same bytes, judged by their names. */
function sameKeys(left: Serde<unknown>, right: Serde<unknown>): boolean {
  return left === right || left.name === right.name;
}

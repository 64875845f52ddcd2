import { json, msgpack, nullable, string, type Topic, topic } from 'millrace';

export interface Order {
  readonly item: string;
  readonly total: number;
}

/** The topics of one run. Their names are new, so that the tutorial can be run again on the same log. */
export interface TutorialTopics {
  /** Prefix of the names. */
  readonly prefix: string;
  /** Values in JSON; null deletes a key. */
  readonly orders: Topic<string, Order | null>;
  /** Values in MessagePack. */
  readonly readings: Topic<string, { readonly degrees: number; readonly at: Date }>;
  /** One of the topics that the pattern of the tutorial matches. */
  region(name: string): Topic<null, Order>;
  readonly regions: RegExp;
}

export function tutorialTopics(run: string): TutorialTopics {
  const prefix = `tutorial-${run}`;
  return {
    prefix,
    orders: topic(`${prefix}-orders`, { key: string(), value: nullable(json<Order>()), partitions: 3 }),
    readings: topic(`${prefix}-readings`, { key: string(), value: msgpack(), partitions: 1 }),
    region: (name) => topic(`${prefix}-region-${name}`, { value: json<Order>(), partitions: 1 }),
    regions: new RegExp(`^${prefix}-region-`),
  };
}

import { ConfigError } from './errors.ts';
import type { OpenTransport } from './log/transport.ts';
import type { Durability } from './options/durability.ts';
import { checkNames, checkOneOf, checkText, type OptionNames } from './options/option-checks.ts';
import { checkFunction } from './options/promises.ts';
import { KAFKA_OPTIONS, type KafkaOptions, kafkaSettings } from './transports/kafka/options.ts';

const DURABILITIES: readonly Durability[] = ['fsync', 'commit', 'memory'];

/** Where the log is: a folder (default), a Kafka cluster, or a transport of your own. @public */
export interface LogLocation {
  /**
   * Folder of the embedded log (default: `./.millrace`), created if missing. It must not be on a network file system.
   */
  readonly path?: string;
  /**
   * Whether to create a log in a folder without one (default: true). With false, `ERR_NO_LOG` is thrown and nothing is
   * created.
   */
  readonly create?: boolean;
  /**
   * What an acknowledgement means on the embedded log. `'fsync'` (default): flushed to disk. `'commit'`: survives the
   * process, not a power cut. `'memory'`: for tests.
   */
  readonly durability?: Durability;
  /** Addresses of some brokers of a Kafka cluster, as `host:port`. Excludes `path`, `create` and `durability`. */
  readonly brokers?: readonly string[];
  /** Everything else about the cluster: TLS, user, guarantee, time-outs. */
  readonly kafka?: Omit<KafkaOptions, 'brokers'>;
  /** Another log, such as `memoryTransport()`. Excludes everything above. */
  readonly transport?: OpenTransport;
}

export const LOG_LOCATION: OptionNames<LogLocation> = {
  path: true,
  create: true,
  durability: true,
  brokers: true,
  kafka: true,
  transport: true,
};

/** Like {@link checkNames}, for options that include those of {@link LogLocation}. */
export function checkLocated(where: string, options: object, known: Readonly<Record<string, true>>): void {
  const inside = Object.keys(options ?? {}).find(
    (name) => !Object.hasOwn(known, name) && Object.hasOwn(KAFKA_OPTIONS, name),
  );
  if (inside !== undefined) {
    throw new ConfigError('ERR_OPTION', `${where} has no option ${inside}`, {
      hint: `it is an option of the cluster: { brokers, kafka: { ${inside} } }`,
    });
  }
  checkNames(where, options, known);
}

/**
 * Returns a function that opens the log these options describe. The embedded log and the Kafka client are loaded only
 * when used.
 *
 * @throws ConfigError `ERR_OPTION` if the options describe more than one log, or one that cannot exist.
 */
export function openLog(location: LogLocation): OpenTransport {
  const { brokers, create, durability, kafka, path, transport } = location;
  if (transport !== undefined) {
    refuse(location, ['path', 'create', 'durability', 'brokers', 'kafka'], 'transport');
    checkFunction('transport', transport, '{ transport: memoryTransport() }');
    return transport;
  }
  if (brokers !== undefined) {
    refuse(location, ['path', 'create', 'durability'], 'brokers');
    // Checks the settings now, so that a wrong one is reported before anything connects.
    kafkaSettings({ ...kafka, brokers });
    return async () => {
      const { kafkaTransport } = await import('./transports/kafka/index.ts');
      return kafkaTransport({ ...kafka, brokers })();
    };
  }
  if (kafka !== undefined) {
    throw new ConfigError('ERR_OPTION', 'kafka is given without brokers', {
      hint: "say where the cluster is: { brokers: ['localhost:9092'] }",
    });
  }
  checkText('the embedded log', 'path', path);
  checkOneOf('the embedded log', 'durability', durability, DURABILITIES);
  return async (progress) => {
    const { embeddedTransport } = await import('./transports/embedded/index.ts');
    return embeddedTransport({
      path: path ?? '.millrace',
      ...(create === undefined ? {} : { create }),
      ...(durability === undefined ? {} : { durability }),
    })(progress);
  };
}

function refuse(location: LogLocation, names: readonly (keyof LogLocation)[], chosen: keyof LogLocation): void {
  const extra = names.find((name) => location[name] !== undefined);
  if (extra === undefined) return;
  throw new ConfigError('ERR_OPTION', `${extra} is given together with ${chosen}`, {
    hint: `${extra} belongs to another kind of log; leave one of them out`,
  });
}

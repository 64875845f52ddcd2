/** What is meant by a flag of Kafka's scripts or of kcat, which this command does not have. */
const FOREIGN: Readonly<Record<string, string>> = {
  '--bootstrap-server': '--brokers',
  '--bootstrap-servers': '--brokers',
  '--broker-list': '--brokers',
  '--topic': 'the topic as an argument, without a flag',
  '-t': 'the topic as an argument, without a flag',
  '--all-topics': 'no topic at all: then all topics are meant',
  '--max-messages': 'consume -n',
  '--timeout-ms': 'consume --timeout, such as 10s',
  '--isolation-level': 'consume --read-committed or --read-uncommitted',
  '--property': 'consume -f, -K or --json, or produce -K',
  '--formatter-property': 'consume -f, -K or --json',
  '--reader-property': 'produce -K',
  '--key-deserializer': 'consume --key',
  '--value-deserializer': 'consume --value',
  '-s': '--key and --value',
  '-C': 'millrace consume TOPIC',
  '-P': 'millrace produce TOPIC',
  '-L': 'millrace topics ls',
  '--list': 'ls: millrace topics ls, millrace groups ls',
  '--describe': 'describe: millrace topics describe TOPIC, millrace groups describe GROUP',
  '--create': 'millrace topics create TOPIC',
  '--delete': 'millrace topics delete TOPIC',
  '--alter': 'millrace topics configure TOPIC',
  '--reset-offsets': 'millrace groups reset GROUP',
  '-X': '--tls and --sasl; config show says what is set',
  '-F': '--tls and --sasl; config show says what is set',
  '--command-config': '--tls and --sasl; config show says what is set',
  '--consumer.config': '--tls and --sasl; config show says what is set',
  '--producer.config': '--tls and --sasl; config show says what is set',
};

/** Adds the flag of this program to an error about a flag of another one. */
export function withOwnFlag(error: string): string {
  const flag = /unknown option '([^'=]+)/.exec(error)?.[1];
  const own = flag === undefined ? undefined : FOREIGN[flag];
  // Commander's own guess goes by the spelling alone.
  return own === undefined ? error : `${error.split('\n')[0]}\n(Here it is ${own})\n`;
}

/** The expected results of each step, on every log. Partitions are chosen by murmur2, as in every Kafka client. */
export const expected: ReadonlyMap<string, string> = new Map([
  ['create and describe a topic', '3 partitions, cleanup delete, records kept for 24 h'],
  ['publish and await', 'ada is in partition 2 at offset 0, of 2026-01-31T00:00:00.000Z'],
  ['publish without awaiting, with an error', '100 sent, 1 refused: ERR_UNKNOWN_PARTITION, written: no'],
  ['JSON, MessagePack and deletions', '{"item":"tea","total":3}, null, 21.5 degrees in 1970'],
  ['consume what is new, with automatic commits', 'cake and pie, committed by itself'],
  ['consume from the beginning', '104 records'],
  ['consume by group', '60 processed, then the program ended; 44 after its restart'],
  ['consume chosen partitions', '20 + 50 + 34 records'],
  ['consume a pattern, and a topic that is added', 'ice of region-north, sun of region-south'],
]);

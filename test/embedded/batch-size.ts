/** Records in the batch with a number that a lane of a publisher writes: 1 to 50. */
export function batchSize(lane: number, n: number): number {
  return 1 + ((n * 7 + lane * 13) % 50);
}

/**
 * Whether tests with another client of Kafka can run. Where they cannot, it says plainly that they did not, and why; in
 * CI that is a failure.
 */
export function canRunWith(client: string, whyNot: string | undefined): boolean {
  if (whyNot === undefined) return true;
  const sentence = `The tests with ${client} did not run: ${whyNot}.`;
  if (process.env['CI'] !== undefined) throw new Error(sentence);
  process.stderr.write(`\n${sentence}\n`);
  return false;
}

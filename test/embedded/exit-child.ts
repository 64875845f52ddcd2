import { connect, string, topic } from '../../src/index.ts';

// Writes without a pause, and exits with a code in the middle of that, or throws.
const [path, code, listener] = process.argv.slice(2) as [string, string, string | undefined];
if (listener === 'nested') process.on('exit', () => process.exit(5));
if (listener === 'throwing') {
  process.on('exit', () => {
    throw new Error('a listener throws');
  });
}
const source = topic('source', { key: string(), value: string(), partitions: 1 });
const client = await connect({ path });
await client.topics.create(source, { ifMissing: true });
let acknowledged = 0;
function end(): void {
  if (code === 'throw') throw new Error('nobody catches this');
  process.exit(Number(code));
}
async function write(): Promise<void> {
  for (;;) {
    await client.publish(source, { key: 'k', value: 'v' });
    acknowledged += 1;
    if (acknowledged === 50) setTimeout(end, 20 * Math.random());
  }
}
for (let writers = 0; writers < 4; writers += 1) void write();

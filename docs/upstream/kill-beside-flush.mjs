import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';

const [, self, path] = process.argv;
const folder = path === undefined ? mkdtempSync(join(tmpdir(), 'kill-beside-flush-')) : undefined;
const file = path ?? join(folder, 'x.mdb');
const db = open(file, { keyEncoding: 'binary', encoding: 'binary', eventTurnBatching: false });
let fail;
const failed = new Promise((_, reject) => {
  fail = reject;
  process.on('unhandledRejection', reject);
});
let writes = 0;
let flushing = false;

async function write() {
  await db.childTransaction(() => db.putSync(Buffer.from('k'), Buffer.alloc(3000, ++writes)));
  if (flushing) return;
  flushing = true;
  db.sync((error) => {
    flushing = false;
    if (error) fail(error);
  });
}

if (path !== undefined) {
  process.send('writing');
  for (;;) await write();
}

let kills = 0;
let victim;
const kill = () => {
  victim = fork(self, [file]);
  victim.once('message', () => setTimeout(() => victim.kill('SIGKILL'), 20 + Math.random() * 60));
  victim.once('exit', () => {
    kills++;
    kill();
  });
};
kill();
const end = Date.now() + 20_000;
try {
  while (Date.now() < end) await Promise.race([write(), failed]);
  console.log(`${writes} writes, ${kills} kills of the other process: fine`);
} catch (error) {
  console.log(`${writes} writes, ${kills} kills of the other process: ${error.message}`);
  await error.commitError?.catch((reason) => console.log(reason.message));
}
victim.removeAllListeners('exit');
victim.kill('SIGKILL');
rmSync(folder, { recursive: true, force: true });
process.exit();

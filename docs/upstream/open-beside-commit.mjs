import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';

const options = { keyEncoding: 'binary', encoding: 'binary', eventTurnBatching: false };
const [, self, path] = process.argv;

if (path !== undefined) {
  process.on('disconnect', () => process.exit());
  for (;;) {
    await open(path, options).close();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const folder = mkdtempSync(join(tmpdir(), 'open-beside-commit-'));
const file = join(folder, 'counter.mdb');
const db = open(file, options);
const key = Buffer.from('n');
const opener = fork(self, [file]);
const end = Date.now() + 60_000;
let last = 0;
const seen = [];
while (seen.length === 0 && Date.now() < end) {
  await db.childTransaction(() => {
    const found = Number(db.getBinary(key)?.toString() ?? 0);
    if (found !== last) seen.push(`committed ${last}, found ${found}`);
    last = found + 1;
    db.putSync(key, Buffer.from(String(last)));
  });
}
console.log(seen[0] ?? `${last} commits, fine`);
opener.kill();
rmSync(folder, { recursive: true, force: true });
process.exit();

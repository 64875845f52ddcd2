import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentProcess, type ProcessIdentity } from './process-identity.ts';
import { WriteGate, whileNobodyWrites } from './write-gate.ts';

let path: string;
let mark: string;
const me = currentProcess();
/** The same pid, given out before: that process has ended. */
const gone: ProcessIdentity = { ...me, startTime: '1' };
const patience = { waiting: () => undefined, limitMs: 50 };

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'millrace-gate-'));
  mkdirSync(join(path, 'runs'));
  mark = join(path, 'runs', 'a.writing');
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const announce = (who: ProcessIdentity): void => writeFileSync(join(path, 'opening.json'), JSON.stringify(who));

describe('a writer', () => {
  it('begins at once while nobody opens, and says for how long it writes', () => {
    const gate = new WriteGate(path, mark);
    expect(gate.enter()).toBeUndefined();
    expect([...readFileSync(mark)]).toEqual([1]);
    gate.leave();
    expect([...readFileSync(mark)]).toEqual([0]);
    gate.close();
  });

  it('waits for a living process that opens, and says so; its mark is off meanwhile', async () => {
    const gate = new WriteGate(path, mark);
    announce(me);
    const waiting = gate.enter();
    expect(waiting).toBeInstanceOf(Promise);
    expect([...readFileSync(mark)]).toEqual([0]);
    expect(gate.waitingFor()).toBe(`process ${me.pid} to finish opening the folder`);
    rmSync(join(path, 'opening.json'));
    await waiting;
    expect([...readFileSync(mark)]).toEqual([1]);
    expect(gate.waitingFor()).toBeUndefined();
    gate.close();
  });

  it('fails in the end, names the opener, and does not write in spite of it', async () => {
    const gate = new WriteGate(path, mark, 20);
    announce(me);
    await expect(gate.enter()).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
      written: 'no',
      message: expect.stringContaining(`process ${me.pid} has been opening the folder`),
    });
    expect([...readFileSync(mark)]).toEqual([0]);
    gate.close();
  });

  it.each([
    ['died', () => announce(gone)],
    ['belongs to another boot', () => announce({ ...me, bootId: 'before' })],
    ['was cut off by a power cut', () => writeFileSync(join(path, 'opening.json'), '')],
  ])('does not wait for an opener that %s', async (_, leave) => {
    const gate = new WriteGate(path, mark);
    leave();
    expect(gate.enter()).toBeUndefined();
    expect(gate.enter()).toBeUndefined();
    announce(me);
    const waits = gate.enter();
    expect(waits).toBeInstanceOf(Promise);
    rmSync(join(path, 'opening.json'));
    await waits;
    gate.close();
  });

  it('that waits writes nothing once the gate is closed: its descriptor may be that of another file', async () => {
    const gate = new WriteGate(path, mark);
    announce(me);
    const waits = gate.enter();
    gate.close();
    const other = join(path, 'other');
    const fd = openSync(other, 'w+');
    writeSync(fd, 'xyz');
    rmSync(join(path, 'opening.json'));
    await expect(waits).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(readFileSync(other, 'utf8')).toBe('xyz');
    closeSync(fd);
  });
});

describe('an opener', () => {
  it('waits until a writer has ended its transaction', async () => {
    const gate = new WriteGate(path, mark);
    expect(gate.enter()).toBeUndefined();
    const order: string[] = [];
    const opening = whileNobodyWrites(
      path,
      { ...patience, limitMs: 5000 },
      () => [{ who: me, mark }],
      async () => {
        order.push('opens');
      },
    );
    await new Promise((resolve) => setImmediate(resolve));
    order.push('commits');
    gate.leave();
    await opening;
    expect(order).toEqual(['commits', 'opens']);
    expect(gate.enter()).toBeUndefined();
    gate.close();
  });

  it('does not open beside one that goes on, and names it', async () => {
    writeFileSync(mark, Uint8Array.of(1));
    let opened = false;
    const opening = whileNobodyWrites(
      path,
      patience,
      () => [{ who: me, mark }],
      async () => {
        opened = true;
      },
    );
    await expect(opening).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
      message: expect.stringContaining(`process ${me.pid} has been writing`),
    });
    expect(opened).toBe(false);
  });
});

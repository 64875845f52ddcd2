import { describe, expect, inject, it } from 'vitest';
import { killAgainAndAgain } from './algebra-run.ts';

const KILLS = 20;

describe('two processes of which one is killed again and again', () => {
  it('have each row of sessions, joins of every kind and held rows once', { timeout: 3_600_000 }, async () => {
    const all = await killAgainAndAgain(inject('brokers'), KILLS);
    for (const { aborted, kind, lost, numbers, repeated, rows, wrong } of all) {
      console.log(
        `${kind}: ${KILLS} kills, ${numbers} numbers in, ${rows} rows out; ${lost.length} lost, ${repeated.length} twice, ` +
          `${wrong.length} wrong; ${aborted} rows of aborted transactions are in the log`,
      );
    }
    for (const { kind, lost, repeated, rows, wrong } of all) {
      expect({ lost, repeated, wrong }, kind).toEqual({ lost: [], repeated: [], wrong: [] });
      expect(rows, kind).toBeGreaterThan(0);
    }
  });
});

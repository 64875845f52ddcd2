import { describe, expect, inject, it } from 'vitest';
import { killAgainAndAgain } from './algebra-run.ts';

const KILLS = 20;

describe('two processes of which one is killed again and again', () => {
  it.each(['sessions', 'payments', 'labels', 'finals', 'prices'] as const)(
    'have each row of %s once',
    { timeout: 1_800_000 },
    async (kind) => {
      const { aborted, lost, numbers, repeated, rows, wrong } = await killAgainAndAgain(inject('brokers'), kind, KILLS);
      console.log(
        `${kind}: ${KILLS} kills, ${numbers} numbers in, ${rows} rows out; ${lost.length} lost, ${repeated.length} twice, ` +
          `${wrong.length} wrong; ${aborted} rows of aborted transactions are in the log`,
      );
      expect({ lost, repeated, wrong }).toEqual({ lost: [], repeated: [], wrong: [] });
      expect(rows).toBeGreaterThan(0);
    },
  );
});

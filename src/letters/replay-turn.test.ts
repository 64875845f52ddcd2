import { expect, it } from 'vitest';
import { ReplayTurn, SILENT_MS } from './replay-turn.ts';

it('is that of the first one who claims it, until it is over', () => {
  const turn = new ReplayTurn();
  turn.hear('other', 1000, false);
  turn.hear(turn.id, 1001, false);
  expect(turn.isOwn).toBe(false);
  turn.hear('third', 1002, true);
  turn.hear('other', 1003, true);
  expect(turn.isOwn, 'a claim in vain is not remembered').toBe(false);
  turn.hear(turn.id, 1004, false);
  expect(turn.isOwn).toBe(true);
});

it('passes on from one that was silent for long, and not from one that still speaks', () => {
  const turn = new ReplayTurn();
  turn.hear('other', 1000, false);
  turn.hear('other', 50_000, false);
  turn.hear(turn.id, 1000 + SILENT_MS + 1, false);
  expect(turn.isOwn).toBe(false);
  turn.hear(turn.id, 50_000 + SILENT_MS + 1, false);
  expect(turn.isOwn).toBe(true);
  turn.hear('other', 50_000 + SILENT_MS + 2, false);
  expect(turn.isOwn).toBe(true);
});

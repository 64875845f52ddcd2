import { asyncScheduler, mergeMap, NEVER, Subject, Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import {
  destinationOf,
  finalizersOf,
  type Inside,
  isAction,
  isOperatorSubscriber,
  isSubscriber,
  waitsForTimer,
} from './rxjs-inside.ts';

const inside = (subscription: unknown): Inside => subscription as Inside;

it('reads what RxJS keeps of an operator, its inner subscriptions and its actions', () => {
  const below = new Subscriber<unknown>();
  const source = new Subject<unknown>();
  source.pipe(mergeMap(() => NEVER)).subscribe(below);
  const before = finalizersOf(inside(below)).length;
  const operator = finalizersOf(inside(below))[0] as Inside;
  expect([isOperatorSubscriber(operator), isSubscriber(operator)]).toEqual([true, true]);
  expect(destinationOf(operator)).toBe(below);
  source.next(1);
  expect(finalizersOf(inside(below)), 'the inner subscription').toHaveLength(before + 1);

  const action = asyncScheduler.schedule(() => undefined, 1000);
  expect([isAction(inside(action)), waitsForTimer(inside(action))]).toEqual([true, true]);
  below.add(action);
  expect(waitsForTimer(inside(below))).toBe(true);
  action.unsubscribe();
  expect(finalizersOf(inside(below)), 'what has ended is taken away').toHaveLength(before + 1);
  below.unsubscribe();
});

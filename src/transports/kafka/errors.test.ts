import { expect, it } from 'vitest';
import { FatalError, MillraceError } from '../../errors.ts';
import { exhausted } from './errors.ts';

it('a message names its topic once', () => {
  const of = (text: string, partition?: number): string =>
    new FatalError('ERR_UNKNOWN_TOPIC', text, { topic: 'a.b', ...(partition === undefined ? {} : { partition }) })
      .message;
  expect(of('there is no topic a.b')).toBe('there is no topic a.b');
  expect(of('there is no topic a.b on folder x')).toBe('there is no topic a.b on folder x');
  expect(of('there is no topic a.b.c')).toBe('there is no topic a.b.c [a.b]');
  expect(of('it cannot be read')).toBe('it cannot be read [a.b]');
  expect(of('topic a.b was deleted', 3)).toBe('topic a.b was deleted [a.b/3]');
});

it('a timeout gives one hint: that of the last failure, if it has one', () => {
  const last = new MillraceError('retriable', 'ERR_CONNECTION', 'b:1 refuses connections', { hint: 'use TLS' });
  expect(exhausted('connect', 5, last).message).toBe(
    'Could not connect within 5 ms; the last failure: b:1 refuses connections – use TLS',
  );
  const silent = new MillraceError('retriable', 'ERR_CONNECTION', 'b:1 refuses connections');
  expect(exhausted('connect', 5, silent).message.split(' – ')[1]).toBe('check that the brokers are up and reachable');
});

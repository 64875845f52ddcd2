import { type AnomalyKind, checkHistory, type HistoryEvent } from 'millrace/testing';
import { describe, expect, it } from 'vitest';

const wrote = (id: string, offset?: number, more: object = {}): HistoryEvent => {
  const place = offset === undefined ? {} : { partition: 0, offset };
  return { type: 'published', topic: 't', id, ...place, ...more };
};
const read = (id: string, offset: number, reader = 'r'): HistoryEvent => {
  return { type: 'read', topic: 't', partition: 0, offset, id, reader };
};
const begins = (offset: number, reader = 'r'): HistoryEvent => {
  return { type: 'assigned', topic: 't', partition: 0, offset, reader };
};
const processed = (offset: number, more: object = {}): HistoryEvent => {
  return { type: 'processed', topic: 't', partition: 0, offset, ...more };
};
const kinds = (events: readonly HistoryEvent[]): AnomalyKind[] => checkHistory(events).map(({ kind }) => kind);

describe('checkHistory', () => {
  it('finds nothing where nothing is wrong', () => {
    const events = [
      wrote('a', 0, { writer: 'w', key: 1 }),
      wrote('b', undefined, { writer: 'w', key: 1 }),
      wrote('gone', undefined, { outcome: 'failed' }),
      wrote('maybe', undefined, { outcome: 'unknown' }),
      wrote('there', undefined, { outcome: 'unknown' }),
      wrote('retried', undefined, { outcome: 'failed' }),
      wrote('retried'),
      read('a', 0),
      read('b', 2),
      begins(0),
      read('a', 0),
      read('b', 2),
      read('there', 3),
      read('retried', 7),
      begins(3, 'late'),
      read('there', 3, 'late'),
      processed(0, { outputs: [{ topic: 'out', id: 'A' }], outcome: 'failed' }),
      processed(0, { outputs: [{ topic: 'out', id: 'A' }] }),
      { type: 'read', topic: 'out', partition: 0, offset: 0, id: 'A' } as const,
      { type: 'read', topic: 'unwritten', partition: 0, offset: 0, id: 'x' } as const,
    ];
    expect(checkHistory(events)).toEqual([]);
    expect(checkHistory([])).toEqual([]);
  });

  it('tells a lost record from one that nobody has come to, with the read that passed it', () => {
    const lost = [wrote('a', 0), wrote('b', 1), read('b', 1), read('z', 3), wrote('z', 3)];
    expect(checkHistory(lost)).toEqual([
      {
        kind: 'lost write',
        topic: 't',
        message: 'a was acknowledged at t/0@0, and r has read on to 1 without it',
        evidence: [wrote('a', 0), read('b', 1)],
      },
    ]);
    expect(kinds([wrote('a', 0), wrote('b', 1), read('a', 0)]), 'the end may be still to come').toEqual(['unseen']);
    expect(kinds([wrote('a', 0), wrote('b', 1), begins(1), read('b', 1)]), 'begun behind it').toEqual(['unseen']);
    expect(kinds([wrote('a'), wrote('b'), read('b', 1)]), 'nobody knows where it was').toEqual(['unseen']);
    expect(kinds([wrote('a', 0)]), 'nobody reads').toEqual([]);
  });

  it('finds inputs that the application has passed over, or counted twice', () => {
    const skipped = checkHistory([wrote('a', 0), wrote('b', 1), processed(1, { by: 'p1' })]);
    expect(skipped).toMatchObject([{ kind: 'lost write', evidence: [wrote('a', 0), processed(1, { by: 'p1' })] }]);
    expect(skipped[0]?.message).toBe('a was acknowledged at t/0@0, and p1 has processed 1 without it');
    expect(checkHistory([processed(0), processed(0, { by: 'p2' })])).toMatchObject([
      { kind: 'duplicate', message: 'the processing of t/0@0 was committed twice' },
    ]);
  });

  it('finds duplicates, invented records, and what was read of failed writes', () => {
    expect(checkHistory([wrote('a', 0), read('a', 0), read('a', 5), read('a', 9)])).toEqual([
      {
        kind: 'duplicate',
        topic: 't',
        message: 'a was read at t/0@0 and t/0@5 and t/0@9',
        evidence: [read('a', 0), read('a', 5)],
      },
    ]);
    expect(kinds([wrote('a', 0), read('a', 0), read('b', 1)])).toEqual(['invented']);
    expect(kinds([wrote('a', undefined, { outcome: 'failed' }), read('a', 0)])).toEqual(['aborted read']);
    const aborted = processed(0, { outputs: [{ topic: 'out', id: 1 }], outcome: 'failed' });
    const seen: HistoryEvent = { type: 'read', topic: 'out', partition: 0, offset: 0, id: 1 };
    expect(checkHistory([aborted, seen])).toMatchObject([{ kind: 'aborted read', evidence: [aborted, seen] }]);
    const other: HistoryEvent = { ...seen, id: '1' };
    expect(kinds([aborted, other]), 'a number is not its text').toEqual(['invented']);
  });

  it('finds two records at one offset, by readers or by acknowledgements', () => {
    const two = [wrote('a'), wrote('b'), read('a', 0, 'x'), read('b', 0, 'y'), read('b', 0, 'z')];
    expect(checkHistory(two)).toMatchObject([
      { kind: 'inconsistent offsets', evidence: [read('a', 0, 'x'), read('b', 0, 'y')] },
    ]);
    expect(kinds([wrote('a', 0), wrote('b', 0), read('a', 0), read('b', 1)])).toEqual(['inconsistent offsets']);
  });

  it('finds readers that go back, unless they begin again', () => {
    const back = [read('a', 0), read('b', 1), read('a', 0)];
    expect(checkHistory([wrote('a'), wrote('b'), ...back])).toMatchObject([
      { kind: 'non-monotonic poll', evidence: [read('b', 1), read('a', 0)] },
    ]);
    expect(kinds([wrote('a'), read('a', 0), read('a', 0)])).toEqual(['non-monotonic poll']);
    expect(kinds([wrote('a'), read('a', 0), begins(0), read('a', 0)])).toEqual([]);
    expect(kinds([wrote('a'), read('a', 0, 'x'), read('a', 0, 'y')])).toEqual([]);
  });

  it('finds records of one writer and key in the wrong order', () => {
    const by = (writer: string, key?: number) => ({ writer, ...(key === undefined ? {} : { key }) });
    const reads = [read('b', 0), read('a', 1)];
    const wrong = checkHistory([wrote('a', undefined, by('w', 1)), wrote('b', undefined, by('w', 1)), ...reads]);
    expect(wrong).toMatchObject([{ kind: 'order violated' }]);
    expect(wrong[0]?.evidence).toHaveLength(4);
    expect(kinds([wrote('a', undefined, by('w')), wrote('b', undefined, by('w')), ...reads])).toEqual([
      'order violated',
    ]);
    expect(kinds([wrote('a', undefined, by('w', 1)), wrote('b', undefined, by('w', 2)), ...reads])).toEqual([]);
    expect(kinds([wrote('a', undefined, by('w', 1)), wrote('b', undefined, by('v', 1)), ...reads])).toEqual([]);
    expect(kinds([wrote('a'), wrote('b'), ...reads]), 'without writers').toEqual([]);
  });

  it('finds what one reader has skipped, whatever others have read', () => {
    const skipped = [wrote('a', 0), wrote('b', 1), wrote('c', 2), read('a', 0), read('b', 1), read('c', 2)];
    const other = [read('a', 0, 's'), read('c', 2, 's')];
    expect(kinds([...skipped, ...other]), 'nobody knows whether one had the partition for a while').toEqual([]);
    expect(checkHistory([...skipped, begins(0, 's'), ...other])).toEqual([
      {
        kind: 'lost write',
        topic: 't',
        message: 'b was acknowledged at t/0@1, and s has read on to 2 without it',
        evidence: [wrote('b', 1), read('c', 2, 's')],
      },
    ]);
    const shared = [read('a', 0), begins(1, 's'), read('b', 1, 's'), begins(2), read('c', 2)];
    expect(kinds([...skipped.slice(0, 3), ...shared]), 'readers that share a partition').toEqual([]);
  });

  it('finds a reader that begins before the place it was assigned', () => {
    expect(checkHistory([wrote('a'), begins(4), read('a', 3)])).toEqual([
      {
        kind: 'non-monotonic poll',
        topic: 't',
        message: 'r read t/0@3, and had begun at 4',
        evidence: [begins(4), read('a', 3)],
      },
    ]);
  });

  it('takes acknowledgements for where a record is: duplicates and order without any read', () => {
    const [twice] = checkHistory([wrote('a', 0), begins(5), read('a', 5)]);
    expect(twice).toMatchObject({ kind: 'duplicate', message: 'a was acknowledged at t/0@0 and read at t/0@5' });
    expect(checkHistory([wrote('a', 0), wrote('a', 5)])).toMatchObject([
      { kind: 'duplicate', evidence: [wrote('a', 0), wrote('a', 5)] },
    ]);
    const by = { writer: 'w', key: 'k' };
    expect(checkHistory([wrote('a', 5, by), wrote('b', 3, by)])).toEqual([
      {
        kind: 'order violated',
        topic: 't',
        message: 'w wrote a before b, and they are at t/0@5 and t/0@3',
        evidence: [wrote('a', 5, by), wrote('b', 3, by)],
      },
    ]);
    expect(kinds([wrote('a', 3, by), wrote('b', 5, by), read('a', 3), read('b', 5)])).toEqual([]);
  });

  it('finds records at the end of a topic that the application has not come to', () => {
    expect(checkHistory([wrote('a', 0), wrote('b', 1), processed(0)])).toMatchObject([
      { kind: 'unseen', message: 'b was acknowledged, and nobody has processed it', evidence: [wrote('b', 1)] },
    ]);
    expect(kinds([wrote('a', 0), wrote('b'), processed(0)]), 'nobody knows where it is').toEqual([]);
  });

  it('gives its evidence in the order of the history', () => {
    const failed = wrote('a', undefined, { outcome: 'failed' });
    expect(checkHistory([read('a', 0), failed])[0]?.evidence).toEqual([read('a', 0), failed]);
    expect(checkHistory([read('b', 1), wrote('b', 1), wrote('a', 0)])[0]?.evidence).toEqual([
      read('b', 1),
      wrote('a', 0),
    ]);
  });

  it('takes many readers, each of a part, of which none has skipped what the others read', () => {
    const events: HistoryEvent[] = [];
    for (let at = 0; at < 20_000; at += 1) {
      if (at % 200 === 0) events.push(begins(at, `r${at}`));
      events.push(wrote(`${at}`, at), read(`${at}`, at, `r${at - (at % 200)}`));
    }
    expect(checkHistory(events)).toEqual([]);
  });

  it('takes histories of a hundred thousand events', () => {
    const events: HistoryEvent[] = [];
    for (let at = 0; at < 50_000; at += 1) events.push(wrote(`${at}`, at, { writer: 'w' }), read(`${at}`, at));
    expect(checkHistory(events.filter((event) => event.type !== 'read' || event.id !== '777'))).toMatchObject([
      { kind: 'lost write', evidence: [{ id: '777' }, { id: '778' }] },
    ]);
  });

  it('refuses events that would count as nothing', () => {
    const wrong: readonly (readonly [event: unknown, said: string])[] = [
      [{ type: 'publish', topic: 't', id: 'a' }, 'type of event 1 of the history is "publish"'],
      [{ type: 'published', topik: 't', id: 'a' }, 'topic of event 1 of the history (published) is undefined'],
      [{ type: 'read', topic: 't', id: 'a' }, 'partition of event 1 of the history (read) is undefined'],
      [
        { type: 'read', topic: 't', id: 'a', partition: 0, offset: '5' },
        'offset of event 1 of the history (read) is "5"',
      ],
      [
        { type: 'published', topic: 't', id: 'a', outcome: 'lost' },
        'outcome of event 1 of the history (published) is "lost"',
      ],
      [{ ...processed(0), outputs: ['a'] }, 'outputs of event 1 of the history (processed) is'],
      [null, 'event 1 of the history is null'],
    ];
    const said = (events: unknown): string => {
      try {
        checkHistory(events as HistoryEvent[]);
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing';
    };
    for (const [event, message] of wrong) expect(said([event])).toContain(message);
    expect(said([{ type: 'publish' }])).toContain('did you mean published?');
    for (const events of ['abc', undefined, 5]) expect(said(events)).toContain('a history is');
    expect(checkHistory([Object.assign(wrote('a', 0), { time: 5 }), read('a', 0)]), 'more than is known').toEqual([]);
  });
});

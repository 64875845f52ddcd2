import { describe, expect, it } from 'vitest';
import { INPUTS_STORE, PositionKeeper, statePositions } from './state-positions.ts';

const id = { applicationId: 'app', store: 'counts', partition: 2 };
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('positions kept with the state', () => {
  it('are those of all inputs, with what is known and heard of each now', () => {
    const heard = new Map<string, string>();
    const topics = new Map<string, { partitions: number; id?: string }>([
      ['a "quoted", one', { partitions: 4, id: '17' }],
      ['b', { partitions: 3 }],
    ]);
    const keeper = new PositionKeeper('app', 2, [{ name: 'counts' }, { name: 'other' }], topics, (topic) =>
      heard.get(topic),
    );
    const written = (positions: [string, number][]): string[] =>
      keeper
        .write(positions)
        .flatMap(({ values }) => values.map((value) => new TextDecoder().decode(value as Uint8Array)));
    const positions: [string, number][] = [
      ['a "quoted", one', 7],
      ['b', 0],
      ['unknown', 12],
    ];
    const first = '{"a \\"quoted\\", one":[7,4,"17"],"b":[0,3],"unknown":12}';
    expect(written(positions)).toEqual([first, first]);
    heard.set('b', 'task;0=9,"x"');
    topics.set('a "quoted", one', { partitions: 5, id: '18' });
    const second = '{"a \\"quoted\\", one":[8,5,"18"],"b":[1,3,null,"task;0=9,\\"x\\""],"unknown":13}';
    expect(written(positions.map(([topic, offset]) => [topic, offset + 1]))).toEqual([second, second]);
    expect(written([])).toEqual(['{}', '{}']);
  });

  it('are read as they were written', () => {
    const keeper = new PositionKeeper('app', 2, [{ name: 'counts' }], new Map([['a', { partitions: 4 }]]), () => 'h');
    const [writes] = keeper.write([
      ['a', 5],
      ['b', 6],
    ]);
    const get = (key: Uint8Array) =>
      new TextDecoder().decode(key) === 'counts' ? (writes?.values[0] as Uint8Array) : undefined;
    const stores = {
      open: (of: { store: string }) => {
        expect(of.store).toBe(INPUTS_STORE);
        return { id, get };
      },
    };
    expect(writes?.keys).toEqual([encode('counts')]);
    expect(statePositions(stores as never, id)).toEqual(
      new Map([
        ['a', { offset: 5, partitions: 4, topicId: undefined, heard: 'h' }],
        ['b', { offset: 6, partitions: undefined, topicId: undefined, heard: undefined }],
      ]),
    );
  });
});

import { expect, it } from 'vitest';
import { MAX_GONE_TOPICS } from '../local/gone-topics.ts';
import { MemoryLog } from './memory-log.ts';

it('remembers which topics that were deleted a group had read, the last of them', () => {
  const log = new MemoryLog();
  const names = Array.from({ length: MAX_GONE_TOPICS + 10 }, (_, at) => `t${at}`);
  const read = (name: string) => log.committed('group', [{ topic: name, partition: 0 }]);
  for (const name of names) {
    log.create(name);
    log.setCommitted('group', [{ topic: name, partition: 0, offset: 0 }]);
    log.delete(name);
    expect(read(name)).toEqual([]);
    log.create(name);
  }
  const known = names.filter((name) => read(name).length > 0);
  expect(known).toEqual(names.slice(10));
  expect(log.committed('other', [{ topic: 't20', partition: 0 }])).toEqual([]);
});

import { join } from 'node:path';
import { connect, countByKey, json, readState, run, string, to, topic } from 'millrace';
import { expect, it } from 'vitest';
import { failure } from '../contract/support.ts';
import { folder } from './children.ts';

const clicks = topic('clicks', { key: string(), value: string(), partitions: 1 });
const counts = topic('counts', { key: string(), value: json<number>(), partitions: 1 });
const counting = clicks.pipe(countByKey({ store: 'clicks-per-user' }), to(counts));

it('reads the state in a folder that this process has open with another durability than the default', async () => {
  const path = join(await folder('read-state'), 'log');
  const client = await connect({ path, durability: 'commit' });
  await client.publish(clicks, { key: 'ada', value: '/home' });
  const application = { applicationId: 'counter', path };
  await run(counting, { ...application, durability: 'commit', until: 'end' }).done;
  // The hint of the error can be followed.
  const error = await failure('ERR_OPTION_MISMATCH', readState({ ...application, pipeline: counting }));
  expect(error.hint).toContain('use the same durability');
  const state = await readState({ ...application, durability: 'commit', pipeline: counting });
  expect(state.store('clicks-per-user').get('ada')?.value).toBe(1);
  await state.close();
  await client.close();
});

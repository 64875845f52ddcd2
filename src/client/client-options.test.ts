import { describe, expect, it } from 'vitest';
import { failure } from '../../test/contract/support.ts';
import { connect } from '../connect.ts';
import { memoryTransport } from '../transports/memory/index.ts';
import { publishLimits } from './client-options.ts';

describe('connect', () => {
  it.each<[object, string]>([
    [{ pth: './data' }, 'did you mean path?'],
    [{ compression: 'brotli' }, "give one of 'none', 'gzip', 'snappy', 'lz4', 'zstd'"],
    [{ maxBufferedBytes: 0 }, 'give a whole number, 1 or more'],
    [{ batch: { bytes: -1 } }, 'batch.bytes is -1'],
    [{ batch: { size: 1 } }, 'connect: batch has no option size'],
  ])('refuses %j', async (options, message) => {
    const error = await failure('ERR_OPTION', connect({ ...options, transport: memoryTransport() }));
    expect(error.message).toContain(message);
  });

  it('refuses what is no duration, and a durability where there is none', async () => {
    const transport = memoryTransport();
    // @ts-expect-error durations have a unit
    await failure('ERR_DURATION', connect({ transport, closeDeadline: '10' }));
    await failure('ERR_OPTION', connect({ transport, durability: 'fsync' }));
  });

  it('takes `logger: false` for none, as run does', async () => {
    const client = await connect({ transport: memoryTransport(), logger: false });
    await client.close();
    // @ts-expect-error a logger or false
    await failure('ERR_OPTION', connect({ transport: memoryTransport(), logger: true }));
  });

  it('compresses where the log is on a disk, and only what is worth it', () => {
    expect(publishLimits({}, 'embedded')).toMatchObject({ compression: 'lz4', compressFrom: 4096 });
    expect(publishLimits({}, 'memory')).toMatchObject({ compression: 'none' });
    expect(publishLimits({ compression: 'zstd' }, 'memory')).toMatchObject({ compression: 'zstd', compressFrom: 0 });
  });
});

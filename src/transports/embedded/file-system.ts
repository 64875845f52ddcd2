import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import { StoreError } from '../../errors.ts';

/** Linux `statfs` types of file systems that several machines can share. */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
]);

/** FUSE can be anything; the name of the mount decides, if it is known. */
const FUSE = 0x65735546;
const FUSE_NETWORK =
  /^fuse\.(sshfs|glusterfs|s3fs|s3ql|gcsfuse|goofys|rclone|ceph|ceph-fuse|juicefs|moosefs|mfs|seaweedfs|davfs2?|curlftpfs|smbnetfs|afpfs|mountpoint-s3)/;

/**
 * LMDB and its locks need shared memory, which two machines do not have. So a folder that could be open on another
 * machine is refused, even if it is not.
 *
 * @throws StoreError `ERR_STORE_LOCKED`
 */
export function refuseNetwork(path: string): void {
  if (process.platform !== 'linux') return;
  const { type } = statfsSync(path);
  const name = NETWORK.get(type) ?? (type === FUSE ? FUSE_NETWORK.exec(mountTypeOf(path))?.[0] : undefined);
  if (name === undefined) return;
  throw new StoreError(
    'ERR_STORE_LOCKED',
    `${path} is on a network file system (${name}), where another machine may have it open unnoticed`,
    { written: 'no', hint: 'use a folder on a local disk, or Kafka when several machines work on the same topics' },
  );
}

/** The type of the mount of a path; empty if the system does not provide it. */
function mountTypeOf(path: string): string {
  try {
    const real = realpathSync(path);
    let best = { point: '', type: '' };
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      const [left = '', right = ''] = line.split(' - ');
      const point = (left.split(' ')[4] ?? '').replaceAll('\\040', ' ');
      const within = point === '/' || real === point || real.startsWith(`${point}/`);
      if (within && point.length >= best.point.length) best = { point, type: right.split(' ')[0] ?? '' };
    }
    return best.type;
  } catch {
    return '';
  }
}

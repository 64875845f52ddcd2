import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import { StoreError } from '../../errors.ts';

/** Numbers of `statfs` on Linux for file systems that several machines see. */
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

/** Any program can be behind this one. Then the name of the mount tells, where it is known. */
const FUSE = 0x65735546;
const FUSE_NETWORK =
  /^fuse\.(sshfs|glusterfs|s3fs|s3ql|gcsfuse|goofys|rclone|ceph|ceph-fuse|juicefs|moosefs|mfs|seaweedfs|davfs2?|curlftpfs|smbnetfs|afpfs|mountpoint-s3)/;

/**
 * Two machines do not share memory, and LMDB and the locks beside it need that: a folder that may be open on another
 * machine is refused, whether it is or not.
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

/** The type of the mount that a path lies on; empty where the system does not tell. */
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

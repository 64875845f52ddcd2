/**
 * When a write to the embedded log counts as done: when it is on the disk, when it outlives the process, or at once, for
 * tests.
 *
 * @public
 */
export type Durability = 'fsync' | 'commit' | 'memory';

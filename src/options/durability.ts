/**
 * When a write to the embedded log counts as done: once it is on disk (`fsync`), once it survives the process
 * (`commit`), or at once, for tests (`memory`).
 *
 * @public
 */
export type Durability = 'fsync' | 'commit' | 'memory';

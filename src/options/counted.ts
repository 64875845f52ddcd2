/**
 * Formats a number of things for messages: `1 window`, `2 windows`. @param several - The plural, if it is irregular.
 */
export function counted(count: number, thing: string, several: string = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : several}`;
}

/** A hint for a partition that is not there. @param count - How many there are. */
export const partitionsToUse = (count: number): string =>
  count === 1 ? 'use partition 0' : `use partitions 0 to ${count - 1}`;

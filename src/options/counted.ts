/**
 * Formats a number of things for messages: `1 window`, `2 windows`. @param several - The plural, if it is irregular.
 */
export function counted(count: number, thing: string, several: string = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : several}`;
}

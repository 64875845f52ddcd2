/** `1 window`, `2 windows`: a number of things, for messages. @param several - Where that is not the thing with an s. */
export function counted(count: number, thing: string, several: string = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : several}`;
}

/**
 * Where the program calls `pipe`, as `file:line:column`, where the engine tells. To be made where an operator is applied:
 * the trace is taken then, and put into words only when somebody asks.
 */
export class CallPlace {
  readonly #trace = new Error();

  toString(): string | undefined {
    const frames = this.#trace.stack?.split('\n') ?? [];
    const pipe = frames.findIndex((frame) => /^\s*at (?:\S+\.)?pipe (?:\[as \S+\] )?\(/.test(frame));
    const caller = pipe === -1 ? undefined : frames[pipe + 1];
    return caller === undefined ? undefined : /(?:file:\/\/)?([^\s()]+:\d+:\d+)\)?$/.exec(caller)?.[1];
  }
}

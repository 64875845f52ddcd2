/**
 * The place where the program calls `pipe`, as `file:line:column`, if the JavaScript engine provides it. Create it
 * where an operator is applied: the stack trace is captured then, but formatted only on request.
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

import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ConsoleLoggerOptions, consoleLogger, defaultLogger } from './console-logger.ts';

function logged(options: ConsoleLoggerOptions = {}) {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) };
  return { lines, logger: consoleLogger({ stream, now: () => 3_723_004, ...options }) };
}

afterEach(() => void vi.unstubAllEnvs());

describe('consoleLogger', () => {
  it('writes a line with time, severity, application, message and fields', () => {
    const { lines, logger } = logged();
    logger.warn(
      { applicationId: 'app', topic: 'clicks', partition: 3, offset: undefined, error: 'no such thing' },
      'left out',
    );
    expect(lines).toEqual(['01:02:03.004 warn  app: left out topic=clicks partition=3 error="no such thing"\n']);
  });

  it('leaves out what is less severe than its level', () => {
    const { lines, logger } = logged({ level: 'error' });
    logger.debug({}, 'a');
    logger.info({}, 'b');
    logger.warn({}, 'c');
    logger.error({}, 'd');
    expect(lines).toEqual(['01:02:03.004 error d\n']);
    const silent = logged({ level: 'silent' });
    silent.logger.error({}, 'd');
    expect(silent.lines).toEqual([]);
  });

  it('writes one line whatever data is in it, and steers no terminal', () => {
    const { lines, logger } = logged();
    logger.error({ key: 'a\u001b[31m\nb', circular: circular(), large: 'x'.repeat(1000), big: 5n }, 'bad\u0007\nthing');
    expect(lines).toHaveLength(1);
    const [line] = lines as [string];
    expect(line).toContain('bad\\x07 thing');
    expect(line.slice(0, -1)).not.toMatch(/\p{Cc}/u);
    expect(line.length).toBeLessThan(400);
  });

  it('colours severities on terminals, as NO_COLOR and FORCE_COLOR say', () => {
    const line = (isTTY: boolean, color?: boolean): string => {
      const lines: string[] = [];
      const stream = { isTTY, write: (text: string) => lines.push(text) };
      consoleLogger({ stream, ...(color === undefined ? {} : { color }) }).warn({}, 'x');
      return lines.join('');
    };
    vi.stubEnv('NO_COLOR', '');
    vi.stubEnv('FORCE_COLOR', undefined);
    expect([line(true), line(false)].map((text) => text.includes('\u001b[33mwarn'))).toEqual([true, false]);
    vi.stubEnv('FORCE_COLOR', '1');
    expect(line(false)).toContain('\u001b[33m');
    vi.stubEnv('NO_COLOR', '1');
    expect(line(true)).not.toContain('\u001b');
    expect(line(false, true)).toContain('\u001b[33m');
  });

  it('refuses an unknown level', () => {
    expect(() => consoleLogger({ level: 'warning' as never })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(() => consoleLogger({ level: 'wran' as never })).toThrow('did you mean warn?');
  });
});

describe('the default', () => {
  it('is what the environment says, warnings unless it says anything', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.stubEnv('MILLRACE_LOG', undefined);
    defaultLogger()?.info({}, 'not said');
    defaultLogger()?.warn({}, 'said');
    vi.stubEnv('MILLRACE_LOG', 'INFO');
    defaultLogger()?.info({}, 'said too');
    expect(write.mock.calls.map(([text]) => String(text).slice(13))).toEqual(['warn  said\n', 'info  said too\n']);
    vi.stubEnv('MILLRACE_LOG', 'silent');
    expect(defaultLogger()).toBeUndefined();
    vi.stubEnv('MILLRACE_LOG', 'loud');
    expect(() => defaultLogger()).toThrow('MILLRACE_LOG is "loud"');
    write.mockRestore();
  });
});

function circular(): object {
  const object: { self?: object } = {};
  object.self = object;
  return object;
}

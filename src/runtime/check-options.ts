import { durationMs } from '../duration.ts';
import { ConfigError } from '../errors.ts';
import type { RecordPolicy } from '../record-policy.ts';
import { checkTopicName } from '../streams/topic.ts';
import type { AppOptions } from './app-options.ts';
import { isDeadLetter } from './record-failures.ts';
import type { Topology } from './topology.ts';

/**
 * Refuses options that cannot be meant, before anything is opened.
 *
 * @throws ConfigError `ERR_APPLICATION_ID`, `ERR_OPTION`, `ERR_DURATION`.
 */
export function checkOptions(options: AppOptions): void {
  const { applicationId, batch, cacheEntries, commitInterval, maxFutureSkew, onRecordError, stopDeadline } = options;
  if (typeof applicationId !== 'string' || !/^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,200}$/.test(applicationId)) {
    throw new ConfigError('ERR_APPLICATION_ID', `applicationId is ${JSON.stringify(applicationId)}`, {
      hint: 'name the application with letters, digits, ".", "_" and "-"; its offsets and state are found by that name',
    });
  }
  oneOf('until', options.until, ['end']);
  oneOf('openWindows', options.openWindows, ['keep', 'close']);
  oneOf('startFrom', options.startFrom, ['earliest', 'latest']);
  oneOf('compression', options.compression, ['none', 'gzip', 'snappy', 'lz4', 'zstd']);
  if (options.openWindows !== undefined && options.until === undefined) {
    throw new ConfigError('ERR_OPTION', "openWindows is given without until: 'end'", {
      hint: 'an endless run has no end at which windows could be closed',
    });
  }
  if (typeof onRecordError !== 'object') oneOf('onRecordError', onRecordError, ['fail', 'skip']);
  else if (typeof onRecordError.deadLetter !== 'string') {
    throw new ConfigError('ERR_OPTION', 'onRecordError names no dead-letter topic', {
      hint: "use deadLetter('topic')",
    });
  } else checkTopicName(onRecordError.deadLetter);
  if (commitInterval !== undefined) durationMs(commitInterval, 'commitInterval');
  if (stopDeadline !== undefined) durationMs(stopDeadline, 'stopDeadline');
  if (maxFutureSkew !== undefined && maxFutureSkew !== 'unlimited') durationMs(maxFutureSkew, 'maxFutureSkew');
  if (batch?.linger !== undefined) durationMs(batch.linger, 'linger');
  atLeast('batch.bytes', batch?.bytes, 1);
  atLeast('batch.count', batch?.count, 1);
  atLeast('cacheEntries', cacheEntries, 0);
}

/**
 * Refuses dead letters into a topic that the same stage reads: they would fail again, for ever.
 *
 * @throws ConfigError `ERR_SINK_TO_SOURCE`.
 */
export function checkDeadLetters({ stages }: Pick<Topology, 'stages'>, fallback: RecordPolicy): void {
  for (const { inputs, name } of stages) {
    for (const { onRecordError = fallback } of inputs) {
      if (!isDeadLetter(onRecordError)) continue;
      const topic = onRecordError.deadLetter;
      if (!inputs.some((input) => input.name === topic)) continue;
      throw new ConfigError('ERR_SINK_TO_SOURCE', `dead letters of stage ${name} go to its own source ${topic}`, {
        topic,
        stage: name,
        hint: 'they would be read and fail again, for ever: choose another topic for them',
      });
    }
  }
}

function atLeast(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least)) return;
  throw new ConfigError('ERR_OPTION', `${name} is ${value}`, { hint: `use a whole number from ${least} on` });
}

function oneOf(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new ConfigError('ERR_OPTION', `${name} is ${JSON.stringify(value)}`, {
    hint: `use ${allowed.map((each) => `'${each}'`).join(', ')}, or leave it out`,
  });
}

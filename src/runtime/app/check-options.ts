import { ConfigError } from '../../errors.ts';
import { isDeadLetter } from '../../log/record-failures.ts';
import { BATCH_OPTIONS } from '../../options/batch-options.ts';
import { durationMs, idleMsOf } from '../../options/duration.ts';
import {
  checkClock,
  checkLogger,
  checkNames,
  checkOneOf,
  checkSignal,
  checkWhole,
} from '../../options/option-checks.ts';
import { checkPolicy, type RecordPolicy } from '../../options/record-policy.ts';
import type { Topology } from '../../plan/topology.ts';
import type { AppOptions } from './app-options.ts';

/**
 * Refuses invalid options before anything is opened.
 *
 * @throws ConfigError `ERR_APPLICATION_ID`, `ERR_OPTION`, `ERR_DURATION`.
 */
export function checkOptions(options: AppOptions): void {
  const { applicationId, batch, cacheEntries, commitInterval, maxFutureSkew, onRecordError, stopDeadline } = options;
  if (typeof applicationId !== 'string' || !/^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,200}$/.test(applicationId)) {
    throw new ConfigError('ERR_APPLICATION_ID', `applicationId is ${JSON.stringify(applicationId)}`, {
      hint: 'name the application with letters, digits, ".", "_" and "-"; the name identifies its offsets and state',
    });
  }
  checkOneOf('run', 'until', options.until, ['end']);
  checkOneOf('run', 'openWindows', options.openWindows, ['keep', 'close']);
  checkOneOf('run', 'startFrom', options.startFrom, ['earliest', 'latest']);
  checkOneOf('run', 'compression', options.compression, ['none', 'gzip', 'snappy', 'lz4', 'zstd']);
  if (options.openWindows !== undefined && options.until === undefined) {
    throw new ConfigError('ERR_OPTION', "openWindows is given without until: 'end'", {
      hint: 'an endless run has no end at which to close windows',
    });
  }
  checkPolicy('run', onRecordError);
  checkLogger('run', options.logger);
  checkClock('run', options.clock);
  checkSignal('run', options.signal);
  if (commitInterval !== undefined) durationMs(commitInterval, 'commitInterval');
  if (stopDeadline !== undefined) durationMs(stopDeadline, 'stopDeadline');
  if (maxFutureSkew !== undefined && maxFutureSkew !== 'unlimited') durationMs(maxFutureSkew, 'maxFutureSkew');
  if (options.idle !== undefined) idleMsOf('run', options.idle);
  checkNames('run: batch', batch ?? {}, BATCH_OPTIONS);
  if (batch?.linger !== undefined) durationMs(batch.linger, 'linger');
  checkWhole('run', 'batch.bytes', batch?.bytes, 1);
  checkWhole('run', 'batch.count', batch?.count, 1);
  checkWhole('run', 'cacheEntries', cacheEntries, 0);
  checkWhole('run', 'cacheBytes', options.cacheBytes, 0);
}

/**
 * Refuses dead letters to a topic that the same stage reads: they would fail again, forever.
 *
 * @throws ConfigError `ERR_SINK_TO_SOURCE`.
 */
export function checkDeadLetters(
  { globals, stages }: Pick<Topology, 'globals' | 'stages'>,
  fallback: RecordPolicy,
): void {
  const inputsOf = stages.map(({ inputs, name }) => ({ inputs, name }));
  for (const { inputs, name } of [...inputsOf, ...globals.map((use) => ({ inputs: [use], name: 'global tables' }))]) {
    for (const { onRecordError = fallback } of inputs) {
      if (!isDeadLetter(onRecordError)) continue;
      const topic = onRecordError.deadLetter;
      if (!inputs.some((input) => input.name === topic)) continue;
      throw new ConfigError('ERR_SINK_TO_SOURCE', `dead letters of stage ${name} go to its own source ${topic}`, {
        topic,
        stage: name,
        hint: 'they would be read and fail again, forever: choose another topic for them',
      });
    }
  }
}

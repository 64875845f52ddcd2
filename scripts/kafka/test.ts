import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { whyNoKafka } from './java.ts';

/**
 * Runs the tests against a real broker, where one can be had: `KAFKA_BROKERS`, or Java and Maven. Elsewhere it says
 * plainly that they did not run, and why; in CI that is a failure.
 */
const reason = (process.env['KAFKA_BROKERS'] ?? '') === '' ? await whyNoKafka() : undefined;
if (reason === undefined) {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const config = fileURLToPath(new URL('../../test/kafka/vitest.config.ts', import.meta.url));
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write(`\nThe tests against Kafka did not run: ${reason}. Or name a broker in KAFKA_BROKERS.\n`);
  process.exitCode = process.env['CI'] === undefined ? 0 : 1;
}

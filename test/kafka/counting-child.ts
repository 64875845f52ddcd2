import { type CountingOptions, counting } from './counting.ts';
import { runAndSay } from './run-and-say.ts';

/** A process of the application. */
const options = JSON.parse(process.argv[2] ?? '{}') as CountingOptions;
await runAndSay(counting(options.name, options.slow).pipeline, options);

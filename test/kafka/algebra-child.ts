import { type AlgebraOptions, workloads } from './algebra-kinds.ts';
import { runAndSay } from './run-and-say.ts';

/** A process of the application. */
const options = JSON.parse(process.argv[2] ?? '{}') as AlgebraOptions;
await runAndSay(workloads[options.kind](options.name).pipeline, options);

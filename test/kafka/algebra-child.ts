import { type AlgebraOptions, allWork, pipelineOf } from './algebra-kinds.ts';
import { runAndSay } from './run-and-say.ts';

/** A process of the application. */
const options = JSON.parse(process.argv[2] ?? '{}') as AlgebraOptions;
await runAndSay(pipelineOf(allWork(options.name)), options);

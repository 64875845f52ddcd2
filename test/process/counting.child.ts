import { type RunOptions, run } from '../../src/index.ts';
import { counting, topicsOf } from './counting.ts';

/** A process that runs the step of `counting.ts` until it is killed. */
const { from, into, ...options } = JSON.parse(process.argv[2] ?? '{}') as RunOptions & {
  readonly from: string;
  readonly into: string;
};
const app = run(counting(topicsOf(from, into)), options);
await app.done;

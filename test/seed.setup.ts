import { configureGlobal, readConfigureGlobal } from 'fast-check';
import { seed } from './random.ts';

// Without it every property takes a seed of its own, and prints it when it fails.
if (process.env['MILLRACE_SEED'] !== undefined) configureGlobal({ seed });

// `npm run mutants` gives properties less time: a fault that they find at all, they find soon, and shrinking it may take long.
const limit = Number(process.env['MILLRACE_PROPERTY_MS']);
if (limit > 0) configureGlobal({ ...readConfigureGlobal(), interruptAfterTimeLimit: limit });

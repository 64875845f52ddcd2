import { configureGlobal } from 'fast-check';
import { seed } from './random.ts';

// Without it every property takes a seed of its own, and prints it when it fails.
if (process.env['MILLRACE_SEED'] !== undefined) configureGlobal({ seed });

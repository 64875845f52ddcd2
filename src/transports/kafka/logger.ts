export { type Logger, noLogger } from '../../runtime/logger.ts';

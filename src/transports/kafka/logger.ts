export { type Logger, noLogger } from '../../log/logger.ts';

/**
 * The part of a logger that Millrace uses; pino's loggers fit.
 *
 * @public
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const noLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

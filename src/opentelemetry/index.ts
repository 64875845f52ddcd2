export type { OpenTelemetryOptions, OpenTelemetryReport } from './open-telemetry.ts';
export { openTelemetry } from './open-telemetry.ts';
export { traceContext, traceHeaders } from './trace-headers.ts';

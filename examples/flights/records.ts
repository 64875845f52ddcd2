import { z } from 'zod';

/** One flight. Its scheduled departure is the timestamp of its record. */
export const Flight = z.object({
  origin: z.string(),
  destination: z.string(),
  /** Minutes; negative when early. */
  delay: z.int(),
  /** Miles. */
  distance: z.int(),
});
export type Flight = z.infer<typeof Flight>;

/** A row of the airports table, keyed by IATA code. */
export const Airport = z.object({ name: z.string(), city: z.string(), state: z.string() });
export type Airport = z.infer<typeof Airport>;

const counted = {
  airport: z.string(),
  ...Airport.shape,
  flights: z.int(),
  /** Sum of the delays, in minutes. */
  minutes: z.int(),
  /** The largest delay, in minutes. */
  worst: z.int(),
};

/** A row of the report: one airport in one hour. */
export const AirportHour = z.object({
  /** Start of the hour, in milliseconds since the epoch. */
  hour: z.int(),
  ...counted,
  /** Mean delay in minutes. */
  mean: z.number(),
});
export type AirportHour = z.infer<typeof AirportHour>;

/** One airport's day so far. */
export const Standing = z.object(counted);
export type Standing = z.infer<typeof Standing>;

/** The worst airports of one day, the worst first; at most ten. */
export const WorstAirports = z.array(Standing);

declare const told: unique symbol;

/** The type of the values of an output. @public */
export interface Output<T> {
  readonly kind: 'output';
  readonly [told]?: T;
}

const OUTPUT: Output<never> = { kind: 'output' };

/**
 * Declares the type that a {@link process} step emits: `emits: output<Alert>()`, `outputs: { late: output<Order>() }`.
 * It exists only for the types.
 *
 * @example Readings that are out of range go to a topic of their own
 * ```ts
 * import { json, output, process, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const readings = topic('readings', { key: string(), value: json<number>() });
 * const valid = topic('valid-readings', { key: string(), value: json<number>() });
 * const alarms = topic('alarms', { key: string(), value: string() });
 * const checked = readings.pipe(
 *   process({
 *     name: 'check',
 *     emits: output<number>(),
 *     outputs: { alarm: output<string>() },
 *     into: { alarm: (records) => records.pipe(to(alarms)) },
 *     next({ value }, { emit, outputs }) {
 *       if (value < 100) emit(value);
 *       else outputs.alarm(`${value} is too high`);
 *     },
 *   }),
 *   to(valid),
 * );
 * const driver = new TestDriver(checked);
 * driver.pipe(readings, { key: 'boiler', value: 60 });
 * driver.pipe(readings, { key: 'boiler', value: 120 });
 * console.log(driver.read(valid).map(({ value }) => value).join(), driver.read(alarms).map(({ value }) => value).join());
 * // => 60 120 is too high
 * ```
 * @public
 */
export function output<T>(): Output<T> {
  return OUTPUT;
}

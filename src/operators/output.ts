declare const told: unique symbol;

/** The type of the values of an output. @public */
export interface Output<T> {
  readonly kind: 'output';
  readonly [told]?: T;
}

const OUTPUT: Output<never> = { kind: 'output' };

/**
 * Tells what a {@link process} step emits: `emits: output<Alert>()`, `outputs: { late: output<Order>() }`. It is there for
 * the types alone.
 *
 * @public
 */
export function output<T>(): Output<T> {
  return OUTPUT;
}

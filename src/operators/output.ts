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
 * @public
 */
export function output<T>(): Output<T> {
  return OUTPUT;
}

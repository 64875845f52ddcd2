/**
 * The error of a failed check: test runners show `actual` and `expected` side by side.
 *
 * @public
 */
export class CheckFailed extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'ERR_ASSERTION';
  readonly actual: unknown;
  readonly expected: unknown;
  readonly showDiff: boolean = true;
  readonly operator = 'deepStrictEqual';
  readonly generatedMessage = false;

  constructor(message: string, difference: { readonly actual: unknown; readonly expected: unknown }) {
    super(message);
    this.actual = difference.actual;
    this.expected = difference.expected;
  }
}

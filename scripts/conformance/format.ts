/** What a key or value of a vector can be. `null` is a missing one. */
export type Json = null | number | string | readonly Json[];
export type Data = NonNullable<Json>;
export type Key = string | null;

export interface Input {
  readonly topic: string;
  readonly key: Key;
  readonly value: Json;
  readonly timestamp: number;
}

export interface Row {
  readonly key: Key;
  readonly value: Json;
  readonly timestamp: number;
  readonly window?: { readonly start: number; readonly end: number | null };
  readonly branch?: string;
  /** The recorded row may be left out. */
  readonly wart?: unknown;
}

export interface Step {
  readonly in: Input;
  readonly out: readonly Row[];
  /** The step throws, and the case ends there. */
  readonly error?: string;
}

export type Params = Readonly<Record<string, unknown>>;

export interface Case {
  readonly name: string;
  readonly operator: string;
  readonly params: Params;
  readonly tags?: readonly string[];
  readonly steps: readonly Step[];
  readonly dropped?: number;
  readonly store?: readonly Row[];
}

export interface VectorFile {
  readonly family: string;
  readonly cases: readonly Case[];
}

/** A family, an operator or a parameter that the pipelines do not know yet. */
export class NotImplemented extends Error {
  override readonly name = 'NotImplemented';
}

export function numberOf(params: Params, name: string): number {
  const value = params[name];
  if (typeof value === 'number') return value;
  throw new Error(`the parameter ${name} is ${JSON.stringify(value)}, not a number`);
}

export function textOf(params: Params, name: string): string {
  const value = params[name];
  if (typeof value === 'string') return value;
  throw new Error(`the parameter ${name} is ${JSON.stringify(value)}, not a text`);
}

/** `head:tail` in its parts; an empty or missing part is null. */
export function splitValue(value: Json): { readonly head: string | null; readonly tail: string | null } {
  if (typeof value !== 'string') return { head: null, tail: null };
  const colon = value.indexOf(':');
  const [head, tail] = colon < 0 ? [value, ''] : [value.slice(0, colon), value.slice(colon + 1)];
  return { head: head === '' ? null : head, tail: tail === '' ? null : tail };
}

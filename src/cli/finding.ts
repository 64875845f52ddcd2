/** The result of a check. */
export interface Finding {
  readonly [name: string]: string;
  readonly check: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly found: string;
}

export const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found });
export const note = (check: string, found: string): Finding => ({ check, state: 'note', found });
export const problem = (check: string, found: string): Finding => ({ check, state: 'problem', found });

/** The first few of many names. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

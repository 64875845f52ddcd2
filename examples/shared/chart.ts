import type { Screen } from './terminal.ts';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;
const STEPS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const SHADES = [' ', '░', '▒', '▓', '█'] as const;
/** From calm to alarming, colours of the 256-colour palette. */
const HEAT = [23, 29, 35, 71, 107, 143, 179, 215, 209, 203, 197, 161] as const;

function step<T>(scale: readonly T[], share: number): T {
  const index = Math.min(scale.length - 1, Math.max(0, Math.floor(share * scale.length)));
  return scale[index] as T;
}

/** A horizontal bar of at most `width` columns, exact to an eighth of a column. `share` is between 0 and 1. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}

/** One column per value, from low to high. */
export function sparkline(values: readonly number[]): string {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  return values.map((value) => step(STEPS, (value - low) / span)).join('');
}

/** A cell of a heat chart: a coloured block, or a shade if the terminal has no colours. */
export function heat(screen: Screen, share: number, width: number): string {
  if (!screen.colour) return step(SHADES, share).repeat(width);
  return `\u001b[48;5;${step(HEAT, share)}m${' '.repeat(width)}\u001b[0m`;
}

/** The scale of `heat`, from calm to alarming. */
export function heatScale(screen: Screen): string {
  const steps = screen.colour ? HEAT.length : SHADES.length;
  return Array.from({ length: steps }, (_, i) => heat(screen, (i + 0.5) / steps, 2)).join('');
}

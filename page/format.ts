const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

/** `1,234,567`; a dash for what is not known. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : WHOLE.format(value);
}

/** `1.2M` */
function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return Math.abs(value) < 10_000 ? count(value) : SHORT.format(value);
}

/** Records per second. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return value > 0 && value < 10 ? value.toFixed(1) : short(value);
}

/** `850 ms`, `4.2 s`, `3 min 12 s`, `2 h 5 min`, `24 years`. */
export function span(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1) return ms === 0 ? '0' : `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return days < 800 ? `${WHOLE.format(days)} days` : `${(days / 365.25).toFixed(1)} years`;
}

/** `2001-01-01 12:00:00` in UTC; a dash for none. */
export function time(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  return Math.abs(ms) > 8.64e15 ? String(ms) : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** `12:00:00` of the viewer's clock. */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

export function bytes(value: number): string {
  return value < 1_048_576 ? `${Math.round(value / 1024)} KiB` : `${(value / 1_048_576).toFixed(1)} MiB`;
}

export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

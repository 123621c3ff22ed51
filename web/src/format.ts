/** Numbers as they are shown. The formatters are made once: making one costs more than a thousand uses. */

const LOCALE = 'en-US';

/** Shown where there is nothing to show. */
export const NONE = '–';

const counts = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const percents = new Intl.NumberFormat(LOCALE, {
  style: 'percent',
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: 'exceptZero',
});
const prices = new Map<number, Intl.NumberFormat>();
const changes = new Map<number, Intl.NumberFormat>();

function withDecimals(
  made: Map<number, Intl.NumberFormat>,
  decimals: number,
  signDisplay: 'auto' | 'exceptZero',
): Intl.NumberFormat {
  let format = made.get(decimals);
  if (format === undefined) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    format = new Intl.NumberFormat(LOCALE, { ...digits, signDisplay });
    made.set(decimals, format);
  }
  return format;
}

export function price(value: number, decimals: number): string {
  return withDecimals(prices, decimals, 'auto').format(value);
}

/** A difference of prices, with its sign. */
export function change(value: number, decimals: number): string {
  return withMinus(withDecimals(changes, decimals, 'exceptZero').format(value));
}

export function percent(ratio: number): string {
  return withMinus(percents.format(ratio));
}

/** The true minus sign is as wide as the plus; the hyphen that Intl writes is not. */
function withMinus(text: string): string {
  return text.replace('-', '−');
}

/** The direction, for those who do not see the colour. */
export function arrow(value: number): string {
  if (value === 0) return '';
  return value > 0 ? '▲' : '▼';
}

export function count(value: number): string {
  return counts.format(value);
}

/** A short time with three digits at most: `0.42 ms`, `3.10 ms`, `48.2 ms`, `512 ms`, `1.25 s`. */
export function milliseconds(us: number | null): string {
  if (us === null) return NONE;
  const ms = us / 1_000;
  if (ms >= 999.5) return `${threeDigits(ms / 1_000)} s`;
  return ms < 1 ? `${ms.toFixed(2)} ms` : `${threeDigits(ms)} ms`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value.toFixed(value >= 9.995 ? 1 : 2);
}

/** A time one waits: `0.4 s`, `12 s`, `3 min`. */
export function seconds(us: number): string {
  const s = Math.max(us, 0) / 1_000_000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  return s < 119.5 ? `${s.toFixed(0)} s` : `${(s / 60).toFixed(0)} min`;
}

export function bytes(value: number): string {
  if (value === 0) return '0';
  return value < 99.95 ? value.toFixed(1) : count(value);
}

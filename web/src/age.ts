/**
 * Ages of ticks: how old a price is where it is read. Counted in log-linear buckets (32 to an octave, so within
 * 3 %), one histogram for each of the last seconds and their sum, so that a window can slide.
 */

const OCTAVE_BUCKETS = 32;
/** Ages are told apart from 32 µs to 2^27 µs, about two minutes; below, each microsecond has a bucket. */
const FIRST_OCTAVE = Math.log2(OCTAVE_BUCKETS);
const LAST_OCTAVE = 27;
const BUCKETS = (LAST_OCTAVE - FIRST_OCTAVE + 1) * OCTAVE_BUCKETS;

/** The bucket of an age in microseconds. An error of the clock can make it negative: that is zero. */
export function bucketOf(ageUs: number): number {
  const us = Math.min(Math.max(Math.floor(ageUs), 0), 2 ** LAST_OCTAVE - 1);
  if (us < OCTAVE_BUCKETS) return us;
  const octave = 31 - Math.clz32(us);
  const shift = octave - FIRST_OCTAVE;
  return (shift + 1) * OCTAVE_BUCKETS + (us >> shift) - OCTAVE_BUCKETS;
}

/** The age in the middle of a bucket, microseconds. */
export function ageOf(bucket: number): number {
  const shift = Math.max(Math.floor(bucket / OCTAVE_BUCKETS) - 1, 0);
  const lowest = shift === 0 ? bucket : (bucket % OCTAVE_BUCKETS + OCTAVE_BUCKETS) * 2 ** shift;
  return lowest + (2 ** shift - 1) / 2;
}

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(ageUs: number): void {
    const bucket = bucketOf(ageUs);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  subtract(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) - (other.#counts[bucket] ?? 0);
    }
    this.#total -= other.#total;
  }

  /** The age that a share of `q` of the ticks does not exceed, microseconds; null without ticks. */
  quantile(q: number): number | null {
    let left = Math.ceil(q * this.#total);
    if (left === 0) return null;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      left -= this.#counts[bucket] ?? 0;
      if (left <= 0) return ageOf(bucket);
    }
    return null;
  }
}

/** The ages of one closed second. */
export interface AgePoint {
  p50: number | null;
  p99: number | null;
}

/** The ages of the last `seconds` seconds and the one that runs. */
export class AgeWindow {
  readonly #seconds: number;
  readonly #slots: Histogram[] = [];
  readonly #sum = new Histogram();
  #current = new Histogram();

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  add(ageUs: number): void {
    this.#current.add(ageUs);
    this.#sum.add(ageUs);
  }

  quantile(q: number): number | null {
    return this.#sum.quantile(q);
  }

  /** Closes the second that runs, and forgets the oldest. */
  roll(): AgePoint {
    const closed = this.#current;
    this.#current = new Histogram();
    this.#slots.push(closed);
    if (this.#slots.length > this.#seconds) {
      const oldest = this.#slots.shift();
      if (oldest !== undefined) this.#sum.subtract(oldest);
    }
    return { p50: closed.quantile(0.5), p99: closed.quantile(0.99) };
  }
}

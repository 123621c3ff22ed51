/** The board: the latest quote of each symbol, as one lane knows it. It has no DOM and no clock. */

import type { Quote, Tick } from './protocol.ts';

/** A quote as shown. A tick can come before any snapshot told the symbol's opening price. */
export type BoardQuote = Omit<Tick, 'open'> & { open: number | null };

/** What a frame changed. */
export interface Applied {
  /** What was news: everything but repeats. */
  fresh: Tick[];
  /** How many ticks its counters jumped over. */
  skipped: number;
  /** By how much the counters of known symbols grew: what they jumped over, and what they jumped to. */
  grown: number;
}

export interface Board {
  readonly quotes: ReadonlyMap<string, BoardQuote>;
  /** Symbols that changed since the painter last cleared it; bounded by the number of symbols. */
  readonly dirty: Set<string>;
  /** Grows whenever a snapshot replaces the board: the set of symbols may be another one. */
  readonly generation: number;
  /** How many fresh ticks it has taken. */
  readonly updates: number;
  applySnapshot(data: Quote[]): Applied;
  applyTicks(data: Tick[]): Applied;
}

export function createBoard(): Board {
  let quotes = new Map<string, BoardQuote>();
  const dirty = new Set<string>();
  let generation = 0;
  let updates = 0;

  /** Counts one tick against what is known of its symbol. */
  function count(tick: Tick, known: BoardQuote | undefined, applied: Applied): void {
    applied.fresh.push(tick);
    if (known !== undefined) {
      applied.skipped += Math.max(0, tick.n - known.n - 1);
      applied.grown += Math.max(0, tick.n - known.n);
    }
    dirty.add(tick.symbol);
    updates += 1;
  }

  return {
    get quotes() {
      return quotes;
    },
    dirty,
    get generation() {
      return generation;
    },
    get updates() {
      return updates;
    },

    applySnapshot(data) {
      const applied: Applied = { fresh: [], skipped: 0, grown: 0 };
      const before = quotes;
      quotes = new Map();
      generation += 1;
      for (const quote of data) {
        const known = before.get(quote.symbol);
        quotes.set(quote.symbol, quote);
        // Counters start again with a new epoch, so any other count is news here.
        if (quote.n !== known?.n) count(quote, known, applied);
      }
      return applied;
    },

    applyTicks(data) {
      const applied: Applied = { fresh: [], skipped: 0, grown: 0 };
      for (const tick of data) {
        const known = quotes.get(tick.symbol);
        if (known !== undefined && tick.n <= known.n) continue;
        quotes.set(tick.symbol, { ...tick, open: tick.open ?? known?.open ?? null });
        count(tick, known, applied);
      }
      return applied;
    },
  };
}

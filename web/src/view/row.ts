/** One row of the table: made once, then only its texts change. */

import type { BoardQuote } from '../board.ts';
import { arrow, change, count, NONE, percent, price, seconds } from '../format.ts';
import type { SymbolInfo } from '../protocol.ts';
import { clone, find, textIn, write } from './dom.ts';

/** How long a changed price stays lit; the fading after it is the style sheet's. */
const FLASH_MS = 120;

export interface Row {
  readonly element: HTMLTableRowElement;
  readonly symbol: string;
  readonly info: SymbolInfo | undefined;
  /** As last painted. */
  readonly quote: BoardQuote;
  update(quote: BoardQuote): void;
  updateAge(serverUs: number | null): void;
}

export function createRow(first: BoardQuote, info: SymbolInfo | undefined): Row {
  const element = clone('row', HTMLTableRowElement);
  const text = (field: string) => textIn(element, `[data-field="${field}"]`);
  const last = find(element, '[data-field="last"]', HTMLTableCellElement);
  const texts = {
    last: text('last'),
    arrow: text('arrow'),
    change: text('change'),
    percent: text('percent'),
    bid: text('bid'),
    ask: text('ask'),
    size: text('size'),
    volume: text('volume'),
    age: text('age'),
  };
  const decimals = info?.price_decimals ?? 2;
  let quote = first;
  let flashTimer: ReturnType<typeof setTimeout> | undefined;

  write(text('symbol'), first.symbol);
  write(text('name'), info?.name ?? '');
  element.dataset['symbol'] = first.symbol;

  function paint(): void {
    const difference = quote.open === null ? null : quote.last - quote.open;
    const direction = difference ?? 0;
    write(texts.last, price(quote.last, decimals));
    write(texts.arrow, arrow(direction));
    write(texts.change, difference === null ? NONE : change(difference, decimals));
    write(texts.percent, quote.open ? percent(direction / quote.open) : NONE);
    write(texts.bid, price(quote.bid, decimals));
    write(texts.ask, price(quote.ask, decimals));
    write(texts.size, count(quote.size));
    write(texts.volume, count(quote.volume));
    element.classList.toggle('up', direction > 0);
    element.classList.toggle('down', direction < 0);
    element.classList.toggle('halted', quote.halted === true);
  }

  function flash(difference: number): void {
    clearTimeout(flashTimer);
    last.classList.toggle('flash-up', difference > 0);
    last.classList.toggle('flash-down', difference < 0);
    flashTimer = setTimeout(() => last.classList.remove('flash-up', 'flash-down'), FLASH_MS);
  }

  paint();
  return {
    element,
    symbol: first.symbol,
    info,
    get quote() {
      return quote;
    },
    update(next) {
      if (next.last !== quote.last) flash(next.last - quote.last);
      quote = next;
      paint();
    },
    updateAge(serverUs) {
      write(texts.age, serverUs === null ? NONE : seconds(serverUs - quote.ts));
    },
  };
}

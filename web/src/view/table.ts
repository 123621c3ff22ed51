/** The table of all symbols: its rows, their order, and which of them are shown. */

import type { Board } from '../board.ts';
import type { SymbolInfo } from '../protocol.ts';
import { find } from './dom.ts';
import { createRow, type Row } from './row.ts';

export interface Table {
  /** Shows this board from now on. */
  show(board: Board): void;
  /** Takes the names; the rows are made anew. */
  name(symbols: ReadonlyMap<string, SymbolInfo>): void;
  filter(text: string): void;
  /** Writes the rows that changed. */
  paintRows(): void;
  /** Sorts and filters. */
  paintOrder(): void;
  paintAges(serverUs: number | null): void;
  setStale(isStale: boolean): void;
}

/** What a column sorts by. */
const KEYS: Record<string, (row: Row) => number | string> = {
  symbol: (row) => row.symbol,
  name: (row) => row.info?.name ?? '',
  last: (row) => row.quote.last,
  change: (row) => row.quote.last - (row.quote.open ?? row.quote.last),
  percent: (row) => (row.quote.open ? row.quote.last / row.quote.open - 1 : 0),
  bid: (row) => row.quote.bid,
  ask: (row) => row.quote.ask,
  size: (row) => row.quote.size,
  volume: (row) => row.quote.volume,
  age: (row) => -row.quote.ts,
};

/** `ordered` is called when the reader asked for another order. */
export function createTable(ordered: () => void): Table {
  const table = find(document, '#quotes', HTMLTableElement);
  const body = find(table, 'tbody', HTMLTableSectionElement);
  const empty = find(document, '#empty', HTMLElement);
  const rows = new Map<string, Row>();
  let board: Board | null = null;
  let generation = -1;
  let symbols: ReadonlyMap<string, SymbolInfo> = new Map();
  let needle = '';
  let sort = { column: 'symbol', sign: 1 };

  function sortBy(column: string): void {
    // Text begins at A, numbers at the greatest; the same column again turns the order around.
    const first = column === 'symbol' || column === 'name' ? 1 : -1;
    sort = { column, sign: sort.column === column ? -sort.sign : first };
    for (const head of table.tHead?.rows[0]?.cells ?? []) {
      if (head.dataset['column'] === column) head.ariaSort = sort.sign > 0 ? 'ascending' : 'descending';
      else head.ariaSort = null;
    }
    ordered();
  }

  for (const head of table.tHead?.rows[0]?.cells ?? []) {
    const { column } = head.dataset;
    if (column !== undefined) head.addEventListener('click', () => sortBy(column));
  }

  function compare(a: Row, b: Row): number {
    const key = KEYS[sort.column];
    const [left, right] = key === undefined ? ['', ''] : [key(a), key(b)];
    if (left === right) return a.symbol < b.symbol ? -1 : 1;
    return left < right ? -sort.sign : sort.sign;
  }

  /** Brings the rows in line with a board whose symbols may be others. */
  function takeSymbols(current: Board): void {
    generation = current.generation;
    for (const [symbol, row] of rows) {
      if (current.quotes.has(symbol)) continue;
      row.element.remove();
      rows.delete(symbol);
    }
    for (const quote of current.quotes.values()) {
      const row = rows.get(quote.symbol);
      if (row === undefined) rows.set(quote.symbol, createRow(quote, symbols.get(quote.symbol)));
      else row.update(quote);
    }
    current.dirty.clear();
    paintOrder();
  }

  function paintRows(): void {
    if (board === null) return;
    if (board.generation !== generation || board.quotes.size !== rows.size) return takeSymbols(board);
    for (const symbol of board.dirty) {
      const quote = board.quotes.get(symbol);
      if (quote !== undefined) rows.get(symbol)?.update(quote);
    }
    board.dirty.clear();
  }

  function paintOrder(): void {
    let shown = 0;
    let next = body.firstElementChild;
    for (const row of [...rows.values()].sort(compare)) {
      // A row that is in its place already is not touched, so that focus and selection stay.
      if (row.element === next) next = next.nextElementSibling;
      else body.insertBefore(row.element, next);
      row.element.hidden = !matches(row);
      if (!row.element.hidden) shown += 1;
    }
    empty.hidden = shown > 0;
    empty.textContent = rows.size === 0 ? 'Waiting for the first snapshot …' : 'No symbol or name matches the filter.';
  }

  function matches({ symbol, info }: Row): boolean {
    return symbol.toLowerCase().includes(needle) || (info?.name.toLowerCase().includes(needle) ?? false);
  }

  return {
    show(next) {
      board = next;
      generation = -1;
    },
    name(next) {
      symbols = next;
      for (const row of rows.values()) row.element.remove();
      rows.clear();
      generation = -1;
    },
    filter(text) {
      needle = text.trim().toLowerCase();
      ordered();
    },
    paintRows,
    paintOrder,
    paintAges(serverUs) {
      for (const row of rows.values()) row.updateAge(serverUs);
    },
    setStale(isStale) {
      table.classList.toggle('stale', isStale);
    },
  };
}

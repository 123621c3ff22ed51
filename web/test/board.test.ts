import { beforeEach, describe, expect, it } from 'vitest';
import { createBoard, type Board } from '../src/board.ts';
import { parseFrame, type Quote, type Tick } from '../src/protocol.ts';
import { golden } from './golden.ts';

function quotes(name: string): Quote[] {
  const frame = parseFrame(golden(name));
  if (frame?.type !== 'snapshot') throw new Error(`${name} is no snapshot`);
  return frame.data;
}

function ticks(name: string): Tick[] {
  const frame = parseFrame(golden(name));
  if (frame?.type !== 'ticks') throw new Error(`${name} are no ticks`);
  return frame.data;
}

function tick(symbol: string, n: number): Tick {
  return { symbol, n, ts: n * 1_000, last: n, size: 1, bid: n, ask: n, volume: n };
}

let board: Board;

beforeEach(() => {
  board = createBoard();
  board.applySnapshot(quotes('snapshot'));
  board.dirty.clear();
});

describe('ticks', () => {
  it('replace the quote and keep its opening price', () => {
    expect(board.applyTicks(ticks('ticks'))).toMatchObject({ skipped: 0, fresh: [{ symbol: 'AAPL', n: 372 }] });
    expect(board.quotes.get('AAPL')).toMatchObject({ n: 372, last: 190.13, open: 189.1 });
    expect([...board.dirty]).toEqual(['AAPL']);
  });

  it('in sequence skip nothing', () => {
    board.applyTicks(ticks('ticks'));
    expect(board.applyTicks(ticks('ticks-batch')).skipped).toBe(0);
  });

  it('that jump tell how many did not come', () => {
    // The batch has AAPL 373; without the frame before it, 372 is missing.
    expect(board.applyTicks(ticks('ticks-batch')).skipped).toBe(1);
  });

  it('that are repeated change nothing', () => {
    board.applyTicks(ticks('ticks'));
    board.dirty.clear();
    expect(board.applyTicks(ticks('ticks'))).toEqual({ fresh: [], skipped: 0, grown: 0 });
    expect(board.dirty.size).toBe(0);
  });

  it('of an unknown symbol have no opening price', () => {
    expect(board.applyTicks([tick('NEW', 9)]).skipped).toBe(0);
    expect(board.quotes.get('NEW')?.open).toBeNull();
  });

  it('that open a day bring its opening price', () => {
    board.applyTicks(ticks('ticks-open'));
    expect(board.quotes.get('AAPL')?.open).toBe(191.02);
  });

  it('that tell a halt mark the symbol until its next tick', () => {
    board.applyTicks(ticks('ticks-halt'));
    expect(board.quotes.get('MSFT')?.halted).toBe(true);
    board.applyTicks([tick('MSFT', 7312)]);
    expect(board.quotes.get('MSFT')?.halted).toBeUndefined();
  });

  it('are counted as updates', () => {
    const before = board.updates;
    board.applyTicks([tick('AAPL', 372), tick('AAPL', 373), tick('AAPL', 373)]);
    expect(board.updates - before).toBe(2);
  });
});

describe('a snapshot', () => {
  it('replaces the board', () => {
    const { generation } = board;
    board.applySnapshot(quotes('poll-gap'));
    expect([...board.quotes.keys()]).toEqual(['AAPL']);
    expect(board.generation).toBe(generation + 1);
  });

  it('replaces greater counters, for a new epoch starts again', () => {
    board.applySnapshot([{ ...tick('AAPL', 2), open: 1 }]);
    expect(board.quotes.get('AAPL')?.n).toBe(2);
  });

  it('tells what is new since the last one, and how much was skipped', () => {
    const [apple, microsoft] = quotes('snapshot');
    if (apple === undefined || microsoft === undefined) throw new Error('two symbols are expected');
    const applied = board.applySnapshot([{ ...apple, n: apple.n + 4 }, microsoft]);
    expect(applied.fresh.map(({ symbol }) => symbol)).toEqual(['AAPL']);
    expect(applied.skipped).toBe(3);
  });

  it('tells by how much known counters grew, and nothing of what is new or went back', () => {
    const [apple, microsoft] = quotes('snapshot');
    if (apple === undefined || microsoft === undefined) throw new Error('two symbols are expected');
    const strange = { ...apple, symbol: 'NEW', n: 900 };
    const back = { ...microsoft, n: microsoft.n - 5 };
    expect(board.applySnapshot([{ ...apple, n: apple.n + 4 }, back, strange]).grown).toBe(4);
  });
});

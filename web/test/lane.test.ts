import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../src/clock.ts';
import { createLane, type Lane } from '../src/lane.ts';
import type { TransportName } from '../src/transport/transport.ts';
import { fakeTransport, type FakeTransport } from './fake.ts';

const BOUND_US = 500;

/** The server's time, microseconds. */
let now = 0;
let transport: FakeTransport;
let lane: Lane;

const clock: Clock = {
  estimate: { offsetUs: 0, boundUs: BOUND_US },
  now: () => now,
  refresh: () => Promise.resolve(),
};

function start(name: TransportName = 'websocket'): void {
  transport = fakeTransport(name);
  lane = createLane(transport, clock, { state: () => {}, frame: () => {} });
  lane.connection.start();
}

const quote = (n: number, ts: number) => ({ symbol: 'A', n, ts, last: 1, size: 1, bid: 1, ask: 1, volume: 1 });

function ticks(...data: [n: number, ts: number][]): string {
  return JSON.stringify({ type: 'ticks', cursor: 'e-1', ts: now, data: data.map(([n, ts]) => quote(n, ts)) });
}

function snapshot(n: number, ts: number): string {
  return JSON.stringify({ type: 'snapshot', cursor: 'e-1', ts: now, data: [{ ...quote(n, ts), open: 1 }] });
}

beforeEach(() => {
  vi.useFakeTimers();
  now = 1_000_000;
  start();
});

afterEach(() => {
  lane.connection.stop();
  vi.useRealTimers();
});

describe('age', () => {
  it('is that of ticks generated since the lane opened', () => {
    transport.accept(snapshot(1, 900_000));
    now = 1_100_000;
    transport.send(ticks([2, 1_099_000]));
    expect((lane.figures().p50Us ?? 0) / 1_000).toBeCloseTo(1, 1);
  });

  it('is none for a snapshot', () => {
    transport.accept(snapshot(1, 1_000_600));
    now += 1_000;
    transport.send(snapshot(2, 1_000_700));
    expect(lane.figures().p50Us).toBeNull();
  });

  it('is none for replay, nor for what may be replay by the error of the clock', () => {
    transport.accept(ticks([2, 500_000], [3, 999_999]), ticks([4, now + BOUND_US]));
    expect(lane.figures()).toMatchObject({ p50Us: null, ticks: 3 });
    now += 2_000;
    transport.send(ticks([5, now - 1_000]));
    expect(lane.figures().p50Us).not.toBeNull();
  });

  it('is none for what was replayed after a reconnect', () => {
    transport.accept(snapshot(1, 900_000));
    transport.lose();
    vi.advanceTimersToNextTimer();
    now = 5_000_000;
    transport.accept(ticks([2, 2_000_000], [3, 4_900_000]));
    expect(lane.figures()).toMatchObject({ p50Us: null, ticks: 2, missed: 0 });
  });

  it('is none for repeats', () => {
    transport.accept(snapshot(5, 900_000));
    now += 10_000;
    transport.send(ticks([5, now - 1]));
    expect(lane.figures()).toMatchObject({ p50Us: null, ticks: 0 });
  });
});

describe('what did not come', () => {
  it('is missed, unless the server says that it left it out', () => {
    transport.accept(snapshot(1, 0), ticks([2, 1], [10, 2]));
    expect(lane.figures()).toMatchObject({ missed: 7, skipped: 0 });
    transport.send('{"type":"lag","conflated":5,"cursor":"e-2"}');
    expect(lane.figures()).toMatchObject({ missed: 2, skipped: 5 });
  });

  const gap = (fields: object) => JSON.stringify({ type: 'gap', from: 'e-1', ...fields });

  it.each([{}, { missed: 98 }])('is what the counters jump by after a gap, told or not: %o', (told) => {
    transport.accept(snapshot(1, 0), gap({ ...told, reason: 'replay_window' }));
    expect(lane.figures()).toMatchObject({ missed: 0, resyncs: 0 });
    transport.send(snapshot(99, 0), ticks([100, 1]));
    expect(lane.figures()).toMatchObject({ missed: 98, resyncs: 1, ticks: 1 });
    transport.send(snapshot(120, 0));
    expect(lane.figures()).toMatchObject({ missed: 98, resyncs: 1 });
  });

  it('is told inside the snapshot where a client gets one frame only', () => {
    const answer = JSON.parse(snapshot(99, 0)) as object;
    transport.accept(snapshot(1, 0), JSON.stringify({ ...answer, gap: { from: 'e-1', reason: 'replay_window' } }));
    expect(lane.figures()).toMatchObject({ missed: 98, resyncs: 1 });
  });

  it.each(['epoch_changed', 'unknown_cursor'])('cannot be told after %s, whatever the counters say', (reason) => {
    transport.accept(snapshot(1, 0), gap({ missed: 30, reason }), snapshot(99, 0));
    expect(lane.figures()).toMatchObject({ missed: 0, resyncs: 1 });
  });

  it('is counted once if the lane is lost between the gap and its snapshot', () => {
    transport.accept(snapshot(1, 0), gap({ reason: 'replay_window' }));
    transport.lose();
    vi.advanceTimersToNextTimer();
    transport.accept(gap({ reason: 'replay_window' }), snapshot(99, 0));
    expect(lane.figures()).toMatchObject({ missed: 98, resyncs: 1 });
    transport.lose();
    vi.advanceTimersToNextTimer();
    transport.accept(gap({ reason: 'replay_window' }));
    transport.lose();
    vi.advanceTimersToNextTimer();
    transport.accept(snapshot(200, 0));
    expect(lane.figures()).toMatchObject({ missed: 98, resyncs: 1 });
  });
});

describe('a lane that reads the board', () => {
  beforeEach(() => start('short_poll'));

  it('counts what is new since the last read, and skips what was replaced', () => {
    transport.accept(snapshot(1, 900_000));
    expect(lane.figures()).toMatchObject({ ticks: 0, p50Us: null });
    now += 1_000_000;
    transport.send(snapshot(6, now - 250_000));
    expect(lane.figures()).toMatchObject({ ticks: 1, skipped: 4, missed: 0 });
    expect((lane.figures().p50Us ?? 0) / 250_000).toBeCloseTo(1, 1);
    transport.send(snapshot(6, now - 250_000));
    expect(lane.figures().ticks).toBe(1);
  });

  it('does not count what changed while it was away', () => {
    transport.accept(snapshot(1, 900_000));
    transport.lose();
    vi.advanceTimersToNextTimer();
    now += 60_000_000;
    transport.accept(snapshot(500, now - 5));
    expect(lane.figures()).toMatchObject({ ticks: 0, skipped: 0, p50Us: null });
  });
});

describe('rates', () => {
  it('are those of the last ten seconds', () => {
    transport.accept(snapshot(1, 0));
    let n = 1;
    for (let second = 0; second < 15; second += 1) {
      for (let i = 0; i < 4; i += 1) transport.send(ticks([(n += 1), 1]));
      vi.advanceTimersByTime(1_000);
      lane.roll();
    }
    expect(lane.figures()).toMatchObject({
      ticks: 60,
      ticksPerSecond: 4,
      bytesPerTick: { payload: 100, framing: 4, heads: 0 },
    });
  });

  it('are unknown before the first second', () => {
    expect(lane.figures()).toMatchObject({ ticksPerSecond: null, bytesPerTick: null });
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createConnection, type Connection, type State } from '../src/connection.ts';
import type { Frame } from '../src/protocol.ts';
import type { CloseReason } from '../src/transport/transport.ts';
import { fakeTransport, type FakeTransport } from './fake.ts';
import { golden } from './golden.ts';

let transport: FakeTransport;
let connection: Connection;
let states: State[];
let frames: (Frame | null)[];
/** What the dice say: 1 is the longest delay. */
let dice: number;

const stateNames = () => states.map(({ name }) => name);

beforeEach(() => {
  vi.useFakeTimers();
  transport = fakeTransport();
  states = [];
  frames = [];
  dice = 1;
  connection = createConnection(
    transport,
    { state: (state) => states.push(state), requested: () => {}, frame: (frame) => frames.push(frame) },
    () => dice,
  );
  connection.start();
});

afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

describe('a connection', () => {
  it('begins without a cursor and hands frames on', () => {
    transport.accept(golden('welcome'), golden('snapshot'), golden('ticks'));
    expect(transport.latest.since).toBeNull();
    expect(stateNames()).toEqual(['connecting', 'live']);
    expect(frames.map((frame) => frame?.type)).toEqual(['welcome', 'snapshot', 'ticks']);
  });

  it('resumes from the last cursor it saw', () => {
    transport.accept(golden('snapshot'), golden('ticks'));
    transport.lose();
    vi.advanceTimersByTime(500);
    expect(transport.latest.since).toBe('m3k9x2-18443');
  });

  it('moves the cursor on with heartbeats, and not with a gap', () => {
    transport.accept(golden('heartbeat'), golden('gap'));
    transport.lose();
    vi.advanceTimersByTime(500);
    expect(transport.latest.since).toBe('m3k9x2-18444');
  });

  it('asks for a snapshot again as long as none has come', () => {
    transport.accept(golden('welcome'));
    transport.lose();
    vi.advanceTimersByTime(500);
    expect(transport.latest.since).toBeNull();
  });

  it('hands on unknown frames as such', () => {
    transport.accept('{"type":"weather"}');
    expect(frames).toEqual([null]);
    expect(stateNames()).toEqual(['connecting', 'live']);
  });

  it('is lost by a frame that cannot be read', () => {
    transport.accept('{"type":"ticks"}');
    expect(transport.latest.isClosed).toBe(true);
    expect(states.at(-1)).toMatchObject({ name: 'waiting', detail: 'unreadable frame: cursor is not a string' });
  });

  it('does not hear an attempt that is over', () => {
    const first = transport.latest;
    transport.lose();
    first.sink.opened();
    first.sink.closed({ detail: 'again' });
    expect(stateNames()).toEqual(['connecting', 'waiting']);
  });

  it('stays closed once it is stopped', () => {
    transport.lose();
    connection.stop();
    vi.advanceTimersByTime(60_000);
    expect(transport.attempts).toHaveLength(1);
  });
});

describe('a refused cursor', () => {
  /** Loses the attempt under way and tells with which cursor the next one begins. */
  function sinceAfter(reason: CloseReason): string | null {
    transport.lose(reason);
    vi.advanceTimersToNextTimer();
    return transport.latest.since;
  }

  beforeEach(() => transport.accept(golden('snapshot')));

  it('is forgotten', () => {
    expect(sinceAfter({ detail: 'Not a cursor', refusal: 'bad_cursor' })).toBeNull();
  });

  it('is not what any other refusal means', () => {
    const refusals = Array.from({ length: 5 }, () => sinceAfter({ detail: 'Full', refusal: 'over_capacity' }));
    expect(new Set(refusals)).toEqual(new Set(['m3k9x2-18442']));
  });
});

describe('the delay before coming back', () => {
  function delays(count: number): number[] {
    return Array.from({ length: count }, () => {
      transport.lose();
      const began = performance.now();
      vi.advanceTimersToNextTimer();
      return performance.now() - began;
    });
  }

  it('doubles up to ten seconds', () => {
    expect(delays(7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('is anywhere between nothing and that', () => {
    dice = 0.25;
    expect(delays(3)).toEqual([125, 250, 500]);
  });

  it('is short again after a frame', () => {
    delays(4);
    transport.accept(golden('heartbeat'));
    expect(delays(1)).toEqual([500]);
  });

  it('is longer where the server asks for it', () => {
    transport.lose({ detail: 'over capacity', retryAfterMs: 5_000 });
    expect(states.at(-1)).toMatchObject({ name: 'waiting', until: performance.now() + 5_500 });
  });

  it('follows a shutdown frame, once', () => {
    transport.accept('{"type":"shutdown","reconnect_after_ms":1800}');
    expect(delays(2)).toEqual([2_300, 1_000]);
  });

  it('ends early when there is a reason to hurry', () => {
    transport.lose();
    connection.hurry();
    expect(transport.attempts).toHaveLength(2);
    connection.hurry();
    expect(transport.attempts).toHaveLength(2);
  });
});

describe('silence', () => {
  it('of three heartbeats is a dead connection', () => {
    transport.accept(golden('welcome'));
    vi.advanceTimersByTime(14_999);
    expect(states.at(-1)?.name).toBe('live');
    vi.advanceTimersByTime(1);
    expect(states.at(-1)).toMatchObject({ name: 'waiting', detail: 'no heartbeat' });
    expect(transport.latest.isClosed).toBe(true);
  });

  it('is broken by any frame', () => {
    transport.accept(golden('welcome'));
    for (let i = 0; i < 10; i += 1) {
      vi.advanceTimersByTime(10_000);
      transport.send(golden('heartbeat'));
    }
    expect(stateNames()).toEqual(['connecting', 'live']);
  });

  it('is measured by the heartbeat that the server announces', () => {
    transport.accept(golden('welcome').replace('5000', '1000'));
    vi.advanceTimersByTime(15_000);
    expect(stateNames()).toContain('waiting');
  });

  it('of a server that never answers is noticed too', () => {
    vi.advanceTimersByTime(15_000);
    expect(states.at(-1)?.name).toBe('waiting');
  });
});

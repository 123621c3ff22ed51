/**
 * Keeps one transport going: reads its frames, holds the cursor, and reconnects from it when the transport
 * ends or falls mute. Nothing else on the page reconnects.
 */

import { parseFrame, type Cursor, type Frame } from './protocol.ts';
import type { Bytes, CloseReason, Transport } from './transport/transport.ts';

export type State =
  | { name: 'connecting' }
  | { name: 'live' }
  /** Gone, and coming back at `until` (on the clock of `performance.now`). */
  | { name: 'waiting'; until: number; detail: string };

export interface Listener {
  state(state: State): void;
  requested(): void;
  /** `frame` is null for types the page does not know: their bytes were spent all the same. */
  frame(frame: Frame | null, bytes: Bytes): void;
}

export interface Connection {
  start(): void;
  /** Comes back now, if it is waiting: the network or the reader has returned. */
  hurry(): void;
  stop(): void;
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 10_000;

/** Silence is judged in heartbeats: one may be lost, two are bad luck. */
const MUTE_HEARTBEATS = 3;

export function createConnection(transport: Transport, listener: Listener, random = Math.random): Connection {
  let cursor: Cursor | null = null;
  let failures = 0;
  /** What a `shutdown` frame asked us to wait. */
  let shutdownDelayMs = 0;
  let muteMs = transport.muteMs;
  let heardAt = 0;
  let waiting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the attempt under way: what its transport still says is not heard. */
  let end = () => {};

  function connect(): void {
    waiting = false;
    heardAt = performance.now();
    watch();
    listener.state({ name: 'connecting' });
    let current = true;
    const close = transport.open(() => cursor, {
      requested: () => listener.requested(),
      opened: () => current && listener.state({ name: 'live' }),
      frame: (text, bytes) => current && receive(text, bytes),
      closed: (reason) => current && lose(reason),
    });
    end = () => {
      current = false;
      clearTimeout(timer);
      close();
    };
  }

  function receive(text: string, bytes: Bytes): void {
    let frame: Frame | null;
    try {
      frame = parseFrame(text);
    } catch (error) {
      return lose({ detail: `unreadable frame: ${error instanceof Error ? error.message : String(error)}` });
    }
    heardAt = performance.now();
    failures = 0;
    // A welcome's cursor is no progress: on a fresh start the snapshot, which makes it true, is yet to come.
    if (frame?.type === 'welcome') muteMs = MUTE_HEARTBEATS * frame.heartbeat_ms;
    else if (frame?.type === 'shutdown') shutdownDelayMs = frame.reconnect_after_ms;
    else if (frame !== null && 'cursor' in frame) cursor = frame.cursor;
    listener.frame(frame, bytes);
  }

  /** One timer looks whether the silence has lasted too long; a frame only notes the time. */
  function watch(): void {
    const left = heardAt + muteMs - performance.now();
    if (left <= 0) return lose({ detail: 'no heartbeat' });
    timer = setTimeout(watch, left);
  }

  /** Full jitter: anywhere between now and the ceiling, so that a thousand pages do not come back together. */
  function lose({ detail, retryAfterMs = 0, refusal }: CloseReason): void {
    end();
    // Refused once, it would be refused for ever.
    if (refusal === 'bad_cursor') cursor = null;
    const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
    const delay = Math.max(retryAfterMs, shutdownDelayMs) + random() * ceiling;
    failures += 1;
    shutdownDelayMs = 0;
    waiting = true;
    timer = setTimeout(connect, delay);
    listener.state({ name: 'waiting', until: performance.now() + delay, detail });
  }

  return {
    start: connect,
    hurry() {
      if (!waiting) return;
      clearTimeout(timer);
      connect();
    },
    stop() {
      waiting = false;
      end();
    },
  };
}

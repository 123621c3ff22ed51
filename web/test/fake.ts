/** A transport that does what a test tells it. */

import type { Cursor } from '../src/protocol.ts';
import type { Bytes, CloseReason, Sink, Transport, TransportName } from '../src/transport/transport.ts';

export interface Attempt {
  sink: Sink;
  /** The cursor it was opened with. */
  since: Cursor | null;
  isClosed: boolean;
}

export interface FakeTransport extends Transport {
  readonly attempts: Attempt[];
  /** The latest attempt. */
  readonly latest: Attempt;
  open(cursor: () => Cursor | null, sink: Sink): () => void;
  /** Accepts and sends. */
  accept(...frames: string[]): void;
  send(...frames: string[]): void;
  lose(reason?: CloseReason): void;
}

const BYTES: Bytes = { payload: 100, framing: 4, heads: 0 };

export function fakeTransport(name: TransportName = 'websocket', muteMs = 15_000): FakeTransport {
  const attempts: Attempt[] = [];
  const latest = () => {
    const attempt = attempts.at(-1);
    if (attempt === undefined) throw new Error('nothing was opened');
    return attempt;
  };
  return {
    name,
    muteMs,
    attempts,
    get latest() {
      return latest();
    },
    open(cursor, sink) {
      const attempt = { sink, since: cursor(), isClosed: false };
      attempts.push(attempt);
      sink.requested();
      return () => {
        attempt.isClosed = true;
      };
    },
    accept(...frames) {
      latest().sink.opened();
      this.send(...frames);
    },
    send(...frames) {
      for (const frame of frames) latest().sink.frame(frame, BYTES);
    },
    lose(reason = { detail: 'connection lost' }) {
      latest().sink.closed(reason);
    },
  };
}

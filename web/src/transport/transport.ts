/**
 * What a transport is: a way to get frames from the server, and nothing more.
 * It does not reconnect, read frames, keep a cursor or know of symbols; `connection.ts` does the first three.
 */

import type { Cursor } from '../protocol.ts';

/** The names that the server's metrics use. */
export type TransportName = 'websocket' | 'sse' | 'long_poll' | 'short_poll';

/** What a frame cost in bytes, as far as a page can know it. */
export interface Bytes {
  /** The JSON text. */
  payload: number;
  /** What the transport wraps around each frame: WebSocket headers, SSE fields, chunk headers. */
  framing: number;
  /** HTTP response heads. A page cannot see its request heads, nor the heads of a WebSocket or an EventSource. */
  heads: number;
}

export interface CloseReason {
  detail: string;
  /** The server asked for at least this much patience. */
  retryAfterMs?: number;
  /** The slug of the server's problem, if it refused. */
  refusal?: string;
}

export interface Sink {
  /** A request left the page. */
  requested(): void;
  /** The server accepted. */
  opened(): void;
  frame(text: string, bytes: Bytes): void;
  /** It is over, once, and not because of the page. */
  closed(reason: CloseReason): void;
}

export interface Transport {
  readonly name: TransportName;
  /** Longer silence than this means a dead connection. */
  readonly muteMs: number;
  /** Opens at the cursor, which polls ask for again at every request. Returns what closes it, after which the sink hears nothing. */
  open(cursor: () => Cursor | null, sink: Sink): () => void;
}

/** A stream is silent for one heartbeat (5 s unless the server's `welcome` says otherwise) at most. */
export const STREAM_MUTE_MS = 15_000;

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** A path of the API with `since`, and more parameters if there are any. */
export function withCursor(path: string, cursor: Cursor | null, parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters);
  if (cursor !== null) query.set('since', cursor);
  return query.size === 0 ? path : `${path}?${query}`;
}

/** WebSocket: one connection, one frame a message. */

import { SUBPROTOCOL } from '../protocol.ts';
import { byteLength, STREAM_MUTE_MS, withCursor, type Transport } from './transport.ts';

export const websocket: Transport = {
  name: 'websocket',
  muteMs: STREAM_MUTE_MS,

  open(cursor, sink) {
    const url = new URL(withCursor('/v1/ws', cursor()), location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, SUBPROTOCOL);
    let closed = false;
    sink.requested();

    socket.onopen = () => {
      if (!closed) sink.opened();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (closed || typeof data !== 'string') return;
      const payload = byteLength(data);
      sink.frame(data, { payload, framing: headerLength(payload), heads: 0 });
    };
    // An error is always followed by a close, which knows more.
    socket.onclose = ({ code, reason }) => {
      if (closed) return;
      closed = true;
      sink.closed({ detail: reason || closeText(code), ...(code === OVER_CAPACITY && { retryAfterMs: 5_000 }) });
    };
    return () => {
      closed = true;
      socket.close(1000);
    };
  },
};

const OVER_CAPACITY = 1013;

/** RFC 6455, 5.2: a server's header is 2 bytes, and more for the length of longer messages; it has no mask. */
export function headerLength(payload: number): number {
  if (payload < 126) return 2;
  return payload < 65_536 ? 4 : 10;
}

function closeText(code: number): string {
  return code === 1006 ? 'connection lost' : `closed with ${code}`;
}

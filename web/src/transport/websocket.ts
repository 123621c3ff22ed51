/** WebSocket: one connection, one frame a message. */

import { SUBPROTOCOL, type Cursor } from '../protocol.ts';
import { refusal } from './poll.ts';
import { byteLength, STREAM_MUTE_MS, withCursor, type CloseReason, type Transport } from './transport.ts';

export const websocket: Transport = {
  name: 'websocket',
  muteMs: STREAM_MUTE_MS,

  open(cursor, sink) {
    const url = new URL(withCursor('/v1/ws', cursor()), location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, SUBPROTOCOL);
    let opened = false;
    let closed = false;
    sink.requested();

    socket.onopen = () => {
      if (closed) return;
      opened = true;
      sink.opened();
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
      const lost = { detail: reason || closeText(code), ...(code === OVER_CAPACITY && { retryAfterMs: 5_000 }) };
      const since = cursor();
      if (opened || since === null) return sink.closed(lost);
      // A page is not told why a handshake failed. A poll that is answered at once is: the cursor may be refused.
      explain(since).then(sink.closed, () => sink.closed(lost));
    };
    return () => {
      closed = true;
      socket.close(1000);
    };
  },
};

const OVER_CAPACITY = 1013;

/** What the server says of a cursor; fails if it says nothing, or that there is nothing wrong with it. */
async function explain(since: Cursor): Promise<CloseReason> {
  const response = await fetch(withCursor('/v1/poll', since, { wait: '0', limit: '1' }), { cache: 'no-store' });
  if (response.ok) throw new Error('the cursor is fine');
  return refusal(response);
}

/** RFC 6455, 5.2: a server's header is 2 bytes, and more for the length of longer messages; it has no mask. */
export function headerLength(payload: number): number {
  if (payload < 126) return 2;
  return payload < 65_536 ? 4 : 10;
}

function closeText(code: number): string {
  return code === 1006 ? 'connection lost' : `closed with ${code}`;
}

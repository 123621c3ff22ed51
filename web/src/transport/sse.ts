/** Server-Sent Events: one endless response, one named event a frame. */

import { byteLength, STREAM_MUTE_MS, withCursor, type Transport } from './transport.ts';

/** The frame types that travel as events; `error` is sent as `problem`, for EventSource has an `error` of its own. */
const EVENTS = ['welcome', 'snapshot', 'ticks', 'gap', 'lag', 'heartbeat', 'problem', 'shutdown'];

/** Frames that move no cursor carry no id. */
const EVENTS_WITHOUT_ID = new Set(['gap', 'problem', 'shutdown']);

export const sse: Transport = {
  name: 'sse',
  muteMs: STREAM_MUTE_MS,

  open(cursor, sink) {
    const source = new EventSource(withCursor('/v1/sse', cursor()));
    sink.requested();

    source.onopen = () => sink.opened();
    // EventSource would come back by itself, on terms of its own. Closed here, retrying has one place.
    source.onerror = () => {
      source.close();
      sink.closed({ detail: 'stream ended' });
    };
    for (const type of EVENTS) {
      source.addEventListener(type, ({ data, lastEventId }: MessageEvent<string>) => {
        const payload = byteLength(data);
        const id = EVENTS_WITHOUT_ID.has(type) ? '' : lastEventId;
        sink.frame(data, { payload, framing: framingLength(type, id, payload), heads: 0 });
      });
    }
    return () => source.close();
  },
};

/** The `event`, `id` and `data` fields, the blank line, and the header and end of an HTTP/1.1 chunk around them. */
export function framingLength(type: string, id: string, payload: number): number {
  const fields = `event: ${type}\n`.length + (id === '' ? 0 : `id: ${id}\n`.length) + 'data: \n\n'.length;
  return fields + (fields + payload).toString(16).length + '\r\n\r\n'.length;
}

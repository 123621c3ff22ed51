import { describe, expect, it } from 'vitest';
import { headLength } from '../src/transport/poll.ts';
import { framingLength } from '../src/transport/sse.ts';
import { byteLength, withCursor } from '../src/transport/transport.ts';
import { headerLength } from '../src/transport/websocket.ts';
import { golden } from './golden.ts';

describe('bytes around a frame', () => {
  it.each([
    [0, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
  ])('a WebSocket message of %i bytes has a header of %i', (payload, header) => {
    expect(headerLength(payload)).toBe(header);
  });

  it.each(['ticks', 'snapshot'])('an event with %s is the chunk a server would write', (name) => {
    const text = golden(name);
    const id = 'm3k9x2-18443';
    const event = `event: ${name}\nid: ${id}\ndata: ${text}\n\n`;
    const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
    expect(framingLength(name, id, text.length)).toBe(chunk.length - text.length);
  });

  it('an event without an id has no such field', () => {
    const event = `event: gap\ndata: ${golden('gap')}\n\n`;
    expect(framingLength('gap', '', golden('gap').length)).toBe(
      `${event.length.toString(16)}\r\n${event}\r\n`.length - golden('gap').length,
    );
  });

  it('a response has a head', () => {
    const response = new Response(null, { status: 200, statusText: 'OK', headers: { etag: '"x"' } });
    expect(headLength(response)).toBe('HTTP/1.1 200 OK\r\netag: "x"\r\n\r\n'.length);
  });

  it('text is counted in bytes', () => {
    expect(byteLength('Zürich')).toBe(7);
  });
});

describe('a path', () => {
  it('has a cursor when there is one', () => {
    expect(withCursor('/v1/ws', null)).toBe('/v1/ws');
    expect(withCursor('/v1/ws', 'm3k9-1')).toBe('/v1/ws?since=m3k9-1');
    expect(withCursor('/v1/poll', 'm3k9-1', { wait: '25' })).toBe('/v1/poll?wait=25&since=m3k9-1');
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { headLength, refusal } from '../src/transport/poll.ts';
import { framingLength } from '../src/transport/sse.ts';
import { byteLength, withCursor, type CloseReason } from '../src/transport/transport.ts';
import { headerLength, websocket } from '../src/transport/websocket.ts';
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

describe('a refused poll', () => {
  it('tells the title and the slug of its problem', async () => {
    const problem = { type: '/problems/bad_cursor', title: 'Not a cursor', status: 400 };
    const response = new Response(JSON.stringify(problem), { status: 400 });
    expect(await refusal(response)).toEqual({ detail: 'Not a cursor', refusal: 'bad_cursor' });
  });

  it('tells how long to stay away', async () => {
    const response = new Response('{"title":"Full"}', { status: 503, headers: { 'retry-after': '3' } });
    expect(await refusal(response)).toEqual({ detail: 'Full', retryAfterMs: 3_000 });
  });

  it.each(['<html>', 'null', '{}'])('has a status if nothing else: %s', async (text) => {
    expect(await refusal(new Response(text, { status: 502 }))).toEqual({ detail: 'HTTP 502' });
  });
});

describe('a WebSocket that closes', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** What the page is told by a socket that opened or did not, and then closed, when a poll is answered so. */
  async function closed(opens: boolean, answer: () => Promise<Response>): Promise<CloseReason> {
    const socket: Pick<WebSocket, 'onopen' | 'onmessage' | 'onclose' | 'close'> = {
      onopen: null,
      onmessage: null,
      onclose: null,
      close: () => {},
    };
    vi.stubGlobal('location', { href: 'http://localhost/' });
    vi.stubGlobal('fetch', answer);
    // A constructor that returns an object is that object.
    vi.stubGlobal('WebSocket', function () {
      return socket;
    });
    return new Promise((resolve) => {
      const sink = { requested: () => {}, opened: () => {}, frame: () => {}, closed: resolve };
      websocket.open(() => 'm3k9x2-1', sink);
      const self = socket as WebSocket;
      if (opens) socket.onopen?.call(self, new Event('open'));
      socket.onclose?.call(self, Object.assign(new Event('close'), { code: 1006, reason: '' }) as CloseEvent);
    });
  }

  const refused = () =>
    Promise.resolve(new Response('{"type":"/problems/bad_cursor","title":"Not a cursor"}', { status: 400 }));

  it('had a bad cursor if it never opened and a poll with the cursor is refused', async () => {
    expect(await closed(false, refused)).toEqual({ detail: 'Not a cursor', refusal: 'bad_cursor' });
  });

  it('lost its connection if a poll says nothing, or nothing bad', async () => {
    const lost = { detail: 'connection lost' };
    expect(await closed(false, () => Promise.reject(new TypeError()))).toEqual(lost);
    expect(await closed(false, () => Promise.resolve(new Response('{}')))).toEqual(lost);
  });

  it('lost its connection if it had opened', async () => {
    expect(await closed(true, refused)).toEqual({ detail: 'connection lost' });
  });
});

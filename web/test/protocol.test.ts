import { describe, expect, it } from 'vitest';
import { parseFrame, parseSymbols, parseTime, ProtocolError } from '../src/protocol.ts';
import { golden, goldenNames } from './golden.ts';

describe('golden frames', () => {
  it.each(goldenNames)('%s is a frame the page knows, read as it was sent', (name) => {
    const text = golden(name);
    expect(parseFrame(text)).not.toBeNull();
    expect(JSON.parse(text)).toMatchObject(parseFrame(text) ?? {});
  });

  it('gives ticks with every field', () => {
    expect(parseFrame(golden('ticks'))).toEqual({
      type: 'ticks',
      cursor: 'm3k9x2-18443',
      ts: 1795231558223471,
      data: [
        {
          symbol: 'AAPL',
          n: 372,
          ts: 1795231558223400,
          last: 190.13,
          size: 50,
          bid: 190.12,
          ask: 190.14,
          volume: 123450,
        },
      ],
    });
  });

  it('gives a snapshot the opening prices', () => {
    const frame = parseFrame(golden('snapshot'));
    expect(frame?.type === 'snapshot' && frame.data.map(({ symbol, open }) => [symbol, open])).toEqual([
      ['AAPL', 189.1],
      ['MSFT', 415],
    ]);
  });

  it('gives a halt and an opening price where they are told, and nowhere else', () => {
    expect(parseFrame(golden('ticks-halt'))).toHaveProperty('data.0.halted', true);
    expect(parseFrame(golden('snapshot-halt'))).toHaveProperty('data.0.halted', true);
    expect(parseFrame(golden('ticks-open'))).toHaveProperty('data.0.open', 191.02);
    expect(parseFrame(golden('ticks'))).not.toHaveProperty('data.0.halted');
  });

  it('keeps the gap of a poll inside its snapshot', () => {
    expect(parseFrame(golden('poll-gap'))).toMatchObject({ gap: { from: 'a1b2c3-77', reason: 'epoch_changed' } });
  });

  it('tells a known loss from an unknown one', () => {
    expect(parseFrame(golden('gap-missed'))).toHaveProperty('missed', 3001);
    expect(parseFrame(golden('gap'))).not.toHaveProperty('missed');
  });

  it('lets a gap be from nowhere', () => {
    expect(parseFrame(golden('gap-unknown'))).toEqual({ type: 'gap', reason: 'unknown_cursor' });
  });

  it('gives the answers to control messages', () => {
    expect(parseFrame(golden('subscribed'))).toEqual({
      type: 'subscribed',
      id: 1,
      symbols: ['AAPL', 'MSFT'],
      mode: 'every',
      max_rate: 0,
      policy: 'conflate',
    });
    expect(parseFrame(golden('pong'))).toEqual({ type: 'pong', id: 4, ts: 1795231558223500 });
    expect(parseFrame('{"type":"pong","id":"a","ts":5}')).toHaveProperty('id', 'a');
    expect(parseFrame('{"type":"pong","ts":5}')).not.toHaveProperty('id');
  });

  it('gives a lag its count', () => {
    expect(parseFrame(golden('lag'))).toEqual({ type: 'lag', cursor: 'm3k9x2-18900', conflated: 412 });
  });
});

describe('what the protocol leaves open', () => {
  it('ignores unknown types', () => {
    expect(parseFrame('{"type":"weather","sun":true}')).toBeNull();
  });

  it('ignores unknown fields', () => {
    const frame = parseFrame('{"type":"heartbeat","cursor":"a-1","ts":5,"mood":"calm"}');
    expect(frame).toEqual({ type: 'heartbeat', cursor: 'a-1', ts: 5 });
  });
});

describe('what is not the protocol', () => {
  it.each([
    ['no JSON', 'nope'],
    ['no object', '[1]'],
    ['no type', '{}'],
    ['a field of the wrong kind', '{"type":"heartbeat","cursor":7,"ts":5}'],
    ['a missing field', '{"type":"heartbeat","cursor":"a-1"}'],
    ['an id of another kind', '{"type":"pong","id":{},"ts":5}'],
    ['symbols that are no names', '{"type":"subscribed","symbols":[1],"mode":"every","max_rate":0,"policy":"conflate"}'],
    ['a tick without a counter', '{"type":"ticks","cursor":"a-1","ts":5,"data":[{"symbol":"AAPL"}]}'],
  ])('refuses %s', (_, text) => {
    expect(() => parseFrame(text)).toThrow(ProtocolError);
  });
});

describe('the plain requests', () => {
  it('reads symbols', () => {
    const text = '{"symbols":[{"symbol":"AAPL","name":"Apple Inc.","price_decimals":2}]}';
    expect(parseSymbols(text)).toEqual([{ symbol: 'AAPL', name: 'Apple Inc.', price_decimals: 2 }]);
  });

  it('reads the time', () => {
    expect(parseTime('{"ts":1795231558223471}')).toBe(1795231558223471);
  });
});

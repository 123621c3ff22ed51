/** The wire, `ticker.v1`: the frames a server sends, and the one place where text becomes a frame. */

export const SUBPROTOCOL = 'ticker.v1.json';

/** Where a client is on the tape. Opaque: only ever handed back to the server. */
export type Cursor = string;

/** One change of one symbol. */
export interface Tick {
  symbol: string;
  /** Counts the ticks of this symbol, one by one: a jump is what was not received. */
  n: number;
  /** When the tick was generated, microseconds since the Unix epoch. */
  ts: number;
  last: number;
  size: number;
  bid: number;
  ask: number;
  /** Shares traded since the open. */
  volume: number;
  /** The opening price, where it is news: on the first tick of a symbol's day. */
  open?: number;
  /** Trading is halted until the symbol's next tick. */
  halted?: true;
}

/** The full state of one symbol. */
export interface Quote extends Tick {
  /** The opening price of the symbol's day. */
  open: number;
}

export interface Gap {
  /** Where the client stood; absent if what it sent was no cursor. */
  from?: Cursor;
  missed?: number;
  reason: string;
}

/** What a client calls its message; the answer carries it back. */
type Id = number | string;

export type Frame =
  | { type: 'welcome'; cursor: Cursor; server: string; heartbeat_ms: number }
  | { type: 'subscribed'; id?: Id; symbols: string[]; mode: string; max_rate: number; policy: string }
  | { type: 'snapshot'; cursor: Cursor; ts: number; data: Quote[]; gap?: Gap }
  | { type: 'ticks'; cursor: Cursor; ts: number; data: Tick[] }
  | { type: 'heartbeat'; cursor: Cursor; ts: number }
  | ({ type: 'gap' } & Gap)
  | { type: 'lag'; cursor: Cursor; conflated: number }
  | { type: 'error'; code: string; message: string }
  | { type: 'pong'; id?: Id; ts: number }
  | { type: 'shutdown'; reconnect_after_ms: number };

export interface SymbolInfo {
  symbol: string;
  name: string;
  price_decimals: number;
}

/** Text that is not what the protocol promises. */
export class ProtocolError extends Error {
  override name = 'ProtocolError';
}

type Fields = Record<string, unknown>;

/** Reads one frame; `null` for a type this page does not know, which the protocol asks it to ignore. */
export function parseFrame(text: string): Frame | null {
  const fields = parseObject(text);
  const type = string(fields, 'type');
  switch (type) {
    case 'welcome':
      return {
        type,
        cursor: string(fields, 'cursor'),
        server: string(fields, 'server'),
        heartbeat_ms: number(fields, 'heartbeat_ms'),
      };
    case 'subscribed':
      return {
        type,
        ...id(fields),
        symbols: array(fields, 'symbols').map(name),
        mode: string(fields, 'mode'),
        max_rate: number(fields, 'max_rate'),
        policy: string(fields, 'policy'),
      };
    case 'snapshot': {
      const head = { type, cursor: string(fields, 'cursor'), ts: number(fields, 'ts') } as const;
      const data = array(fields, 'data').map(quote);
      return fields['gap'] === undefined ? { ...head, data } : { ...head, data, gap: gap(object(fields['gap'])) };
    }
    case 'ticks':
      return {
        type,
        cursor: string(fields, 'cursor'),
        ts: number(fields, 'ts'),
        data: array(fields, 'data').map((item) => tick(object(item))),
      };
    case 'heartbeat':
      return { type, cursor: string(fields, 'cursor'), ts: number(fields, 'ts') };
    case 'gap':
      return { type, ...gap(fields) };
    case 'lag':
      return { type, cursor: string(fields, 'cursor'), conflated: number(fields, 'conflated') };
    case 'error':
      return { type, code: string(fields, 'code'), message: string(fields, 'message') };
    case 'pong':
      return { type, ...id(fields), ts: number(fields, 'ts') };
    case 'shutdown':
      return { type, reconnect_after_ms: number(fields, 'reconnect_after_ms') };
    default:
      return null;
  }
}

/** Reads the answer of `/v1/symbols`. */
export function parseSymbols(text: string): SymbolInfo[] {
  return array(parseObject(text), 'symbols').map((item) => {
    const fields = object(item);
    return {
      symbol: string(fields, 'symbol'),
      name: string(fields, 'name'),
      price_decimals: number(fields, 'price_decimals'),
    };
  });
}

/** Reads the answer of `/v1/time`: microseconds since the Unix epoch. */
export function parseTime(text: string): number {
  return number(parseObject(text), 'ts');
}

function tick(fields: Fields): Tick {
  return {
    symbol: string(fields, 'symbol'),
    n: number(fields, 'n'),
    ts: number(fields, 'ts'),
    last: number(fields, 'last'),
    size: number(fields, 'size'),
    bid: number(fields, 'bid'),
    ask: number(fields, 'ask'),
    volume: number(fields, 'volume'),
    ...(fields['open'] !== undefined && { open: number(fields, 'open') }),
    ...(fields['halted'] === true && { halted: true }),
  };
}

function quote(item: unknown): Quote {
  const fields = object(item);
  return { ...tick(fields), open: number(fields, 'open') };
}

function gap(fields: Fields): Gap {
  return {
    ...(fields['from'] !== undefined && { from: string(fields, 'from') }),
    ...(fields['missed'] !== undefined && { missed: number(fields, 'missed') }),
    reason: string(fields, 'reason'),
  };
}

function id(fields: Fields): { id?: Id } {
  const value = fields['id'];
  if (value === undefined) return {};
  if (typeof value === 'number' || typeof value === 'string') return { id: value };
  throw new ProtocolError('id is neither a number nor a string');
}

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError('not JSON');
  }
  return object(value);
}

function object(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new ProtocolError('not an object');
}

function string(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new ProtocolError(`${name} is not a string`);
}

function name(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new ProtocolError('a list has more than strings');
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number') return value;
  throw new ProtocolError(`${name} is not a number`);
}

function array(fields: Fields, name: string): unknown[] {
  const value = fields[name];
  if (Array.isArray(value)) return value;
  throw new ProtocolError(`${name} is not a list`);
}

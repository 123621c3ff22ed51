/**
 * A lane: one transport from end to end, with its own connection and board, and the figures it is judged by.
 *
 * Only live ticks have an age that tells of the transport. A tick is live if it is new to this lane's board, came
 * as a tick (not in a snapshot) and was generated after the lane last opened, by more than the clock may be wrong:
 * whatever was generated before then is replay, however late in the stream it comes. Short-poll has nothing but
 * snapshots; there, what is new since the last read counts.
 */

import { AgeWindow, type AgePoint } from './age.ts';
import { createBoard, type Applied, type Board } from './board.ts';
import type { Clock } from './clock.ts';
import { createConnection, type Connection, type State } from './connection.ts';
import type { Frame, Gap } from './protocol.ts';
import type { Bytes, Transport, TransportName } from './transport/transport.ts';

/** Rates and quantiles are those of the last ten seconds. */
export const WINDOW_S = 10;

/** The sparkline shows the last minute. */
export const HISTORY_S = 60;

export interface Figures {
  /** All ticks received, replay included. */
  ticks: number;
  ticksPerSecond: number | null;
  p50Us: number | null;
  p99Us: number | null;
  /** Bytes for each tick, by part. */
  bytesPerTick: Bytes | null;
  /** Ticks that were due and never came. */
  missed: number;
  /** Ticks that a newer one replaced before they were sent or read. */
  skipped: number;
  /** How often the board had to be replaced because the tape could not be resumed. */
  resyncs: number;
  requests: number;
  history: readonly AgePoint[];
}

export interface Lane {
  readonly name: TransportName;
  readonly board: Board;
  readonly connection: Connection;
  readonly state: State;
  /** When the last frame came, on the clock of `performance.now`; null before the first. */
  readonly heardAt: number | null;
  figures(): Figures;
  /** Closes a second of the figures. */
  roll(): void;
}

/** What the page does when a lane has news. */
export interface LaneEvents {
  state(lane: Lane): void;
  frame(lane: Lane, frame: Frame): void;
}

interface Second extends Bytes {
  ticks: number;
  elapsedMs: number;
}

const emptySecond = (): Second => ({ ticks: 0, payload: 0, framing: 0, heads: 0, elapsedMs: 0 });

export function createLane(transport: Transport, clock: Clock, events: LaneEvents): Lane {
  const board = createBoard();
  const ages = new AgeWindow(WINDOW_S);
  const isBoardReader = transport.name === 'short_poll';
  const seconds: Second[] = [];
  const history: AgePoint[] = [];
  let current = emptySecond();
  let secondBegan = performance.now();
  let state: State = { name: 'connecting' };
  let heardAt: number | null = null;
  /** Server time from which ticks are live; null until the lane has opened and the clock is known. */
  let liveFromUs: number | null = null;
  /** False until the first snapshot after opening: what changed before it is nobody's to count. */
  let hasBoard = false;
  /** Announced, and waiting for the snapshot that makes it good. */
  let openGap: Gap | null = null;
  const counts = { ticks: 0, missed: 0, skipped: 0, resyncs: 0, requests: 0 };

  const connection = createConnection(transport, {
    state(next) {
      state = next;
      liveFromUs = null;
      hasBoard = false;
      // Whoever resumes before the snapshot came is told of the gap again.
      openGap = null;
      if (next.name === 'live') markLive();
      events.state(lane);
    },
    requested() {
      counts.requests += 1;
    },
    frame(frame, bytes) {
      heardAt = performance.now();
      current.payload += bytes.payload;
      current.framing += bytes.framing;
      current.heads += bytes.heads;
      if (frame === null) return;
      markLive();
      apply(frame);
      events.frame(lane, frame);
    },
  });

  function markLive(): void {
    const now = clock.now();
    if (now !== null && clock.estimate !== null) liveFromUs ??= now + clock.estimate.boundUs;
  }

  function apply(frame: Frame): void {
    switch (frame.type) {
      case 'snapshot': {
        const applied = board.applySnapshot(frame.data);
        const gap = frame.gap ?? openGap;
        if (gap !== null) resync(gap, applied);
        openGap = null;
        if (isBoardReader && hasBoard) {
          take(applied);
          counts.skipped += applied.skipped;
        }
        hasBoard = true;
        break;
      }
      case 'ticks': {
        const applied = board.applyTicks(frame.data);
        take(applied);
        counts.missed += applied.skipped;
        break;
      }
      case 'gap':
        openGap = frame;
        break;
      case 'lag':
        // The server says that it left these out on purpose; their jump was counted when it came.
        counts.missed = Math.max(0, counts.missed - frame.conflated);
        counts.skipped += frame.conflated;
        break;
      case 'welcome':
      case 'subscribed':
      case 'heartbeat':
      case 'pong':
      case 'error':
      case 'shutdown':
        break;
      default:
        frame satisfies never;
    }
  }

  function take({ fresh }: Applied): void {
    counts.ticks += fresh.length;
    current.ticks += fresh.length;
    const now = clock.now();
    if (now === null || liveFromUs === null) return;
    for (const tick of fresh) {
      if (tick.ts > liveFromUs) ages.add(now - tick.ts);
    }
  }

  /**
   * What a gap cost is what the counters jumped by at its snapshot, the shown ticks included, for they did not come
   * as ticks. The gap's own number is the same where it has one. Only within one tape do counters compare.
   */
  function resync(gap: Gap, { grown }: Applied): void {
    counts.resyncs += 1;
    if (gap.reason === 'replay_window') counts.missed += grown;
  }

  const lane: Lane = {
    name: transport.name,
    board,
    connection,
    get state() {
      return state;
    },
    get heardAt() {
      return heardAt;
    },

    roll() {
      const now = performance.now();
      seconds.push({ ...current, elapsedMs: now - secondBegan });
      history.push(ages.roll());
      if (seconds.length > WINDOW_S) seconds.shift();
      if (history.length > HISTORY_S) history.shift();
      current = emptySecond();
      secondBegan = now;
    },

    figures() {
      const sum = seconds.reduce(addSeconds, emptySecond());
      const each = (bytes: number) => bytes / sum.ticks;
      return {
        ...counts,
        ticksPerSecond: sum.elapsedMs === 0 ? null : (sum.ticks * 1_000) / sum.elapsedMs,
        p50Us: ages.quantile(0.5),
        p99Us: ages.quantile(0.99),
        bytesPerTick:
          sum.ticks === 0
            ? null
            : { payload: each(sum.payload), framing: each(sum.framing), heads: each(sum.heads) },
        history,
      };
    },
  };
  return lane;
}

function addSeconds(a: Second, b: Second): Second {
  return {
    ticks: a.ticks + b.ticks,
    payload: a.payload + b.payload,
    framing: a.framing + b.framing,
    heads: a.heads + b.heads,
    elapsedMs: a.elapsedMs + b.elapsedMs,
  };
}

/** The wiring: four lanes, one table, one clock and one gate to the screen. */

import { askTime, fetchSymbols } from './api.ts';
import { createClock } from './clock.ts';
import { seconds } from './format.ts';
import { createLane, type Lane } from './lane.ts';
import { createPainter } from './paint.ts';
import { longPoll } from './transport/longpoll.ts';
import { shortPoll } from './transport/shortpoll.ts';
import { sse } from './transport/sse.ts';
import type { TransportName } from './transport/transport.ts';
import { websocket } from './transport/websocket.ts';
import { createControls, withheldText } from './view/controls.ts';
import { createLanes } from './view/lanes.ts';
import { createStatus } from './view/status.ts';
import { createTable } from './view/table.ts';

const SECOND_MS = 1_000;
/** The clock is asked soon again while the page settles, and then ever more rarely. */
const CLOCK_FIRST_MS = 3_000;
const CLOCK_LAST_MS = 20_000;

const clock = createClock(askTime);
const lanes = [websocket, sse, longPoll, shortPoll].map((transport) =>
  createLane(transport, clock, {
    state(lane) {
      painter.request('lanes', 'status');
      if (lane === tableLane && lane.state.name === 'live') void nameSymbols();
    },
    frame(lane, frame) {
      if (frame.type === 'welcome') serverName = frame.server;
      if (lane === tableLane) painter.request('rows');
    },
  }),
);

let tableLane = laneNamed('websocket');
let serverName = '';
/** How many updates the table's board had taken when the reader paused; null while it runs. */
let pausedAt: number | null = null;

const paintLanes = createLanes(lanes);
const status = createStatus(lanes);
const table = createTable(() => painter.request('order'));
const controls = createControls({
  filter: (text) => table.filter(text),
  lane(name) {
    tableLane = laneNamed(name);
    if (pausedAt !== null) pausedAt = tableLane.board.updates;
    table.show(tableLane.board);
    painter.request('rows', 'ages', 'status');
  },
  pause(isPaused) {
    pausedAt = isPaused ? tableLane.board.updates : null;
    painter.request('rows', 'order', 'ages', 'status');
  },
});

const painter = createPainter((parts) => {
  if (pausedAt === null) {
    if (parts.has('rows')) table.paintRows();
    if (parts.has('ages')) table.paintAges(clock.now());
  }
  if (parts.has('order')) table.paintOrder();
  if (parts.has('lanes')) paintLanes();
  if (parts.has('status')) {
    status.paint(clock.estimate, serverName);
    table.setStale(tableLane.state.name !== 'live');
    controls.note(tableNote());
  }
});

function laneNamed(name: TransportName): Lane {
  const lane = lanes.find((candidate) => candidate.name === name);
  if (lane === undefined) throw new Error(`no lane is called ${name}`);
  return lane;
}

function tableNote(): string {
  if (pausedAt !== null) return withheldText(tableLane.board.updates - pausedAt);
  const { state, heardAt } = tableLane;
  if (state.name === 'live' || heardAt === null) return '';
  const stale = `stale for ${seconds((performance.now() - heardAt) * 1_000)}`;
  return state.name === 'waiting' ? `${stale}: ${state.detail}` : stale;
}

/** Without names the table still works; the next time its lane comes back they are asked for again. */
async function nameSymbols(): Promise<void> {
  try {
    table.name(await fetchSymbols());
    painter.request('rows', 'ages');
  } catch (error) {
    console.warn('no symbol names:', error);
  }
}

async function keepTime(delayMs: number): Promise<void> {
  let nextMs = Math.min(2 * delayMs, CLOCK_LAST_MS);
  try {
    await clock.refresh();
  } catch {
    nextMs = CLOCK_FIRST_MS;
  }
  setTimeout(() => void keepTime(nextMs), delayMs);
  painter.request('status');
}

function everySecond(): void {
  for (const lane of lanes) lane.roll();
  painter.request('lanes', 'status', 'ages', 'order');
}

function hurry(): void {
  if (!document.hidden) for (const lane of lanes) lane.connection.hurry();
}

table.show(tableLane.board);
painter.request('lanes', 'status', 'order');
setInterval(everySecond, SECOND_MS);
addEventListener('online', hurry);
document.addEventListener('visibilitychange', hurry);

// The clock comes first: a lane that knows the time when it opens can tell live ticks from replay at once.
await keepTime(CLOCK_FIRST_MS);
for (const lane of lanes) lane.connection.start();

/** The lanes, side by side: one card each, with the figures of its transport. */

import type { State } from '../connection.ts';
import { bytes, count, milliseconds, NONE } from '../format.ts';
import type { Figures, Lane } from '../lane.ts';
import type { TransportName } from '../transport/transport.ts';
import { clone, find, textIn, write } from './dom.ts';
import { drawSparkline } from './sparkline.ts';

export const LANE_NAMES: Record<TransportName, string> = {
  websocket: 'WebSocket',
  sse: 'SSE',
  long_poll: 'Long-poll',
  short_poll: 'Short-poll',
};

/** Builds a card for each lane; returns what paints them. */
export function createLanes(lanes: readonly Lane[]): () => void {
  const cards = lanes.map(createCard);
  find(document, '#lanes', HTMLElement).append(...cards.map(({ element }) => element));
  return () => cards.forEach(({ paint }) => paint());
}

function createCard(lane: Lane): { element: HTMLElement; paint: () => void } {
  const element = clone('lane', HTMLElement);
  const canvas = find(element, 'canvas', HTMLCanvasElement);
  const text = (field: string) => textIn(element, `[data-field="${field}"]`);
  const state = text('state');
  const figures = {
    p50: text('p50'),
    p99: text('p99'),
    rate: text('rate'),
    ticks: text('ticks'),
    bytes: text('bytes'),
    parts: text('parts'),
    missed: text('missed'),
    skipped: text('skipped'),
    resyncs: text('resyncs'),
    requests: text('requests'),
  };
  write(text('name'), LANE_NAMES[lane.name]);
  element.dataset['lane'] = lane.name;

  function paintFigures(now: Figures): void {
    write(figures.p50, milliseconds(now.p50Us));
    write(figures.p99, milliseconds(now.p99Us));
    write(figures.rate, now.ticksPerSecond === null ? NONE : count(now.ticksPerSecond));
    write(figures.ticks, count(now.ticks));
    const each = now.bytesPerTick;
    write(figures.bytes, each === null ? NONE : bytes(each.payload + each.framing + each.heads));
    write(
      figures.parts,
      each === null ? NONE : `${bytes(each.payload)} + ${bytes(each.framing)} + ${bytes(each.heads)}`,
    );
    write(figures.missed, count(now.missed));
    write(figures.skipped, count(now.skipped));
    write(figures.resyncs, count(now.resyncs));
    write(figures.requests, count(now.requests));
    drawSparkline(canvas, now.history);
  }

  return {
    element,
    paint() {
      element.dataset['state'] = lane.state.name;
      element.title = lane.state.name === 'waiting' ? lane.state.detail : '';
      write(state, stateText(lane.state));
      paintFigures(lane.figures());
    },
  };
}

function stateText(state: State): string {
  if (state.name !== 'waiting') return state.name;
  const seconds = Math.max(0, Math.ceil((state.until - performance.now()) / 1_000));
  return `reconnecting in ${seconds} s`;
}

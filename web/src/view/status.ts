/** The header's line: how many lanes are live, which server it is, and how well its clock is known. */

import type { Estimate } from '../clock.ts';
import { milliseconds } from '../format.ts';
import type { Lane } from '../lane.ts';
import { find, textIn, write } from './dom.ts';
import { LANE_NAMES } from './lanes.ts';

export interface StatusBar {
  paint(estimate: Estimate | null, server: string): void;
}

export function createStatus(lanes: readonly Lane[]): StatusBar {
  const region = find(document, '#status', HTMLElement);
  const feed = textIn(document, '#status');
  const clock = textIn(document, '#clock');
  const server = textIn(document, '#server');

  return {
    paint(estimate, serverName) {
      const away = lanes.filter(({ state }) => state.name !== 'live');
      region.dataset['state'] = away.length === 0 ? 'live' : away.length === lanes.length ? 'waiting' : 'connecting';
      // Only the words of a change are announced: no countdown and no price is ever in here.
      write(feed, feedText(lanes.length, away));
      write(clock, estimate === null ? 'clock unknown' : clockText(estimate));
      write(server, serverName === '' ? '' : `server ${serverName}`);
    },
  };
}

function feedText(total: number, away: readonly Lane[]): string {
  if (away.length === 0) return 'All lanes live';
  if (away.length === total) return 'No lane is live, reconnecting';
  return `Not live: ${away.map(({ name }) => LANE_NAMES[name]).join(', ')}`;
}

function clockText({ offsetUs, boundUs }: Estimate): string {
  const sign = offsetUs < 0 ? '−' : '+';
  return `clock ${sign}${milliseconds(Math.abs(offsetUs))} ± ${milliseconds(boundUs)}`;
}

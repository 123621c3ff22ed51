/** What the reader can ask for. It knows no board and no lane: it says what was asked. */

import { count } from '../format.ts';
import type { TransportName } from '../transport/transport.ts';
import { find, textIn, write } from './dom.ts';
import { LANE_NAMES } from './lanes.ts';

export interface Wishes {
  filter(text: string): void;
  lane(name: TransportName): void;
  pause(isPaused: boolean): void;
}

export interface Controls {
  /** Says beside the table what is held back, or how stale it is. */
  note(text: string): void;
}

export function createControls(wishes: Wishes): Controls {
  const filter = find(document, '#filter', HTMLInputElement);
  const lane = find(document, '#table-lane', HTMLSelectElement);
  const pause = find(document, '#pause', HTMLButtonElement);
  const pauseText = textIn(document, '#pause');
  const note = textIn(document, '#table-note');
  let isPaused = false;

  for (const [name, label] of Object.entries(LANE_NAMES)) lane.add(new Option(label, name));
  filter.addEventListener('input', () => wishes.filter(filter.value));
  lane.addEventListener('change', () => {
    const { value } = lane;
    if (isLaneName(value)) wishes.lane(value);
  });
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    write(pauseText, isPaused ? 'Resume' : 'Pause');
    pause.classList.toggle('paused', isPaused);
    wishes.pause(isPaused);
  });
  write(pauseText, 'Pause');
  return { note: (text) => write(note, text) };
}

export function withheldText(updates: number): string {
  return `paused, ${count(updates)} ${updates === 1 ? 'update' : 'updates'} withheld`;
}

function isLaneName(name: string): name is TransportName {
  return name in LANE_NAMES;
}

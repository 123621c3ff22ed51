/**
 * The age of the last minute, drawn: a band from p50 to p99 with its lower edge as a line. The scale is logarithmic
 * and the same for every lane, so that lanes compare by eye.
 */

import type { AgePoint } from '../age.ts';
import { HISTORY_S } from '../lane.ts';

const LOWEST_US = 200;
const HIGHEST_US = 5_000_000;
/** Where the labels of the scale stand, left of what is drawn. */
const LABELS_PX = 40;
const GRID = [
  { us: 1_000, label: '1 ms' },
  { us: 100_000, label: '100 ms' },
];

export function drawSparkline(canvas: HTMLCanvasElement, history: readonly AgePoint[]): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const { color, borderTopColor: gridColor } = getComputedStyle(canvas);
  // Setting the size also clears; a device pixel is drawn as one.
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  context.scale(devicePixelRatio, devicePixelRatio);

  const x = (index: number) => width - ((history.length - 1 - index) * (width - LABELS_PX)) / (HISTORY_S - 1);
  const y = (us: number) => {
    const share = Math.log(us / LOWEST_US) / Math.log(HIGHEST_US / LOWEST_US);
    return height - 1 - Math.min(Math.max(share, 0), 1) * (height - 2);
  };

  context.fillStyle = gridColor;
  context.font = '10px system-ui, sans-serif';
  context.textBaseline = 'middle';
  for (const { us, label } of GRID) {
    context.globalAlpha = 0.35;
    context.fillRect(LABELS_PX, Math.round(y(us)), width - LABELS_PX, 1);
    context.globalAlpha = 1;
    context.fillText(label, 0, Math.round(y(us)));
  }

  context.fillStyle = color;
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  for (const run of runs(history)) {
    context.globalAlpha = 0.25;
    context.beginPath();
    for (const { index, p50 } of run) context.lineTo(x(index), y(p50));
    for (const { index, p99 } of run.toReversed()) context.lineTo(x(index), y(p99));
    context.fill();
    context.globalAlpha = 1;
    context.beginPath();
    for (const { index, p50 } of run) context.lineTo(x(index), y(p50));
    context.stroke();
  }
}

interface Drawn {
  index: number;
  p50: number;
  p99: number;
}

/** The stretches of seconds that had ticks. */
function runs(history: readonly AgePoint[]): Drawn[][] {
  const all: Drawn[][] = [];
  let run: Drawn[] = [];
  history.forEach(({ p50, p99 }, index) => {
    if (p50 === null || p99 === null) {
      run = [];
      return;
    }
    if (run.length === 0) all.push(run);
    run.push({ index, p50, p99 });
  });
  return all;
}

/** The plain requests: what the page asks once, or once in a while. */

import { sinceEpochUs, type Sample } from './clock.ts';
import { parseSymbols, parseTime, type SymbolInfo } from './protocol.ts';

export async function fetchSymbols(): Promise<ReadonlyMap<string, SymbolInfo>> {
  const symbols = parseSymbols(await get('/v1/symbols'));
  return new Map(symbols.map((info) => [info.symbol, info]));
}

const TIME_PATH = '/v1/time';

/** How long the browser may take to tell how a request went. */
const TIMING_PATIENCE_MS = 500;

/**
 * Asks the server for its time. The browser's own notes of when the request left and the answer came are not delayed
 * by a busy page, as the page's are, by milliseconds; only where it keeps none do the page's have to do.
 */
export async function askTime(): Promise<Sample> {
  const url = new URL(TIME_PATH, location.href).href;
  let observer: PerformanceObserver | undefined;
  const timing = new Promise<PerformanceResourceTiming>((resolve) => {
    observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntriesByName(url)) {
        if (entry instanceof PerformanceResourceTiming && entry.requestStart > 0) resolve(entry);
      }
    });
    observer.observe({ type: 'resource' });
  });
  try {
    const asked = performance.now();
    const server = parseTime(await get(TIME_PATH));
    const answered = performance.now();
    const own = { requestStart: asked, responseStart: answered };
    const patience = new Promise<typeof own>((resolve) => setTimeout(resolve, TIMING_PATIENCE_MS, own));
    const { requestStart, responseStart } = await Promise.race([timing, patience]);
    return { asked: sinceEpochUs(requestStart), answered: sinceEpochUs(responseStart), server };
  } finally {
    observer?.disconnect();
  }
}

async function get(path: string): Promise<string> {
  const response = await fetch(path, { cache: 'no-store' });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.text();
}

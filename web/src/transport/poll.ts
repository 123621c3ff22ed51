/** The loop under both polls: a request, one frame as its answer, and again. */

import { byteLength, type CloseReason, type Sink } from './transport.ts';

/** Polls until it is closed or an answer is no frame. `intervalMs` is kept from request to request. */
export function poll(url: (first: boolean) => string, intervalMs: number, sink: Sink): () => void {
  const abort = new AbortController();
  const { signal } = abort;

  async function run(): Promise<void> {
    for (let first = true; ; first = false) {
      const asked = performance.now();
      sink.requested();
      const response = await fetch(url(first), { signal, cache: 'no-store' });
      if (!response.ok) return sink.closed(await refusal(response));
      const text = await response.text();
      if (first) sink.opened();
      sink.frame(text, { payload: byteLength(text), framing: 0, heads: headLength(response) });
      await pause(asked + intervalMs - performance.now(), signal);
      if (signal.aborted) return;
    }
  }

  run().catch((error: unknown) => {
    if (!signal.aborted) sink.closed({ detail: error instanceof TypeError ? 'server unreachable' : String(error) });
  });
  return () => abort.abort();
}

/** The response's head as HTTP/1.1 writes it, from what the browser shows of it. */
export function headLength(response: Response): number {
  let length = `HTTP/1.1 ${response.status} ${response.statusText}\r\n\r\n`.length;
  response.headers.forEach((value, name) => {
    length += `${name}: ${value}\r\n`.length;
  });
  return length;
}

/** What an answer other than 200 says: a problem's title and slug, and how long to stay away. */
export async function refusal(response: Response): Promise<CloseReason> {
  const seconds = Number(response.headers.get('retry-after'));
  const { title, type } = problem(await response.text());
  return {
    detail: title === undefined ? `HTTP ${response.status}` : String(title),
    ...(seconds > 0 && { retryAfterMs: seconds * 1_000 }),
    // The slug is the last part of the type.
    ...(typeof type === 'string' && { refusal: type.slice(type.lastIndexOf('/') + 1) }),
  };
}

function problem(text: string): { title?: unknown; type?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // A proxy in between answers in HTML.
  }
  return {};
}

/** Waits, but not past an abort. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** The one gate to the screen: whatever asks to be painted, and however often, is painted once in the next frame. */

/** What may have to be painted. Prices never change the order of rows by themselves: sorting is asked for. */
export type Part = 'rows' | 'order' | 'ages' | 'lanes' | 'status';

export interface Painter {
  request(...parts: Part[]): void;
}

/** Calls `paint` with the parts asked for since the last frame. A hidden page paints nothing, and all of it on return. */
export function createPainter(paint: (parts: ReadonlySet<Part>) => void): Painter {
  let pending = new Set<Part>();
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || pending.size === 0 || document.hidden) return;
    isScheduled = true;
    requestAnimationFrame(() => {
      isScheduled = false;
      const parts = pending;
      pending = new Set();
      paint(parts);
    });
  }

  document.addEventListener('visibilitychange', schedule);
  return {
    request(...parts) {
      for (const part of parts) pending.add(part);
      schedule();
    },
  };
}

/**
 * The server's clock, as well as it can be told from here (Cristian's method): of several requests the one with
 * the shortest round trip says most, and the answer was written somewhere inside it, hence an error of half of it.
 */

/** One question: when it left and its answer came here, and what the server said. All in microseconds. */
export interface Sample {
  asked: number;
  answered: number;
  server: number;
}

export interface Estimate {
  /** Add to the local clock to get the server's. */
  offsetUs: number;
  /** The offset is wrong by this much at most. */
  boundUs: number;
}

export interface Clock {
  readonly estimate: Estimate | null;
  /** Server time now, microseconds since the Unix epoch; null as long as it is unknown. */
  now(): number | null;
  /** Estimates anew, and keeps the old estimate as long as it is the better one. Fails as the question fails. */
  refresh(): Promise<void>;
}

const SAMPLES = 8;

/** How far two clocks may drift apart, microseconds a second: an estimate grows that much worse while it is kept. */
const DRIFT_US = 50;

export function bestOf(samples: readonly Sample[]): Estimate | null {
  let best: Estimate | null = null;
  for (const { asked, answered, server } of samples) {
    const boundUs = (answered - asked) / 2;
    if (best === null || boundUs < best.boundUs) best = { offsetUs: server - (asked + answered) / 2, boundUs };
  }
  return best;
}

/** A moment of `performance.now` since the Unix epoch. That clock is monotonic: a step of the system's does not move it. */
export function sinceEpochUs(moment: number): number {
  return (performance.timeOrigin + moment) * 1_000;
}

export function createClock(ask: () => Promise<Sample>, local = () => sinceEpochUs(performance.now())): Clock {
  let taken: Estimate | null = null;
  let takenAt = 0;

  function aged(): Estimate | null {
    if (taken === null) return null;
    return { ...taken, boundUs: taken.boundUs + ((local() - takenAt) / 1_000_000) * DRIFT_US };
  }

  return {
    get estimate() {
      return aged();
    },
    now() {
      return taken === null ? null : local() + taken.offsetUs;
    },
    async refresh() {
      const samples: Sample[] = [];
      // One after the other: questions that share the path would wait for each other.
      while (samples.length < SAMPLES) samples.push(await ask());
      const fresh = bestOf(samples);
      const old = aged();
      if (fresh === null || (old !== null && old.boundUs < fresh.boundUs)) return;
      taken = fresh;
      takenAt = local();
    },
  };
}

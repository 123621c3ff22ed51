import { beforeEach, describe, expect, it } from 'vitest';
import { bestOf, createClock, type Clock, type Sample } from '../src/clock.ts';

describe('bestOf', () => {
  it('trusts the shortest round trip', () => {
    const samples = [
      { asked: 0, answered: 10_000, server: 99_000 },
      { asked: 20_000, answered: 20_800, server: 70_400 },
      { asked: 30_000, answered: 33_000, server: 50_000 },
    ];
    expect(bestOf(samples)).toEqual({ offsetUs: 50_000, boundUs: 400 });
  });

  it('knows nothing without samples', () => {
    expect(bestOf([])).toBeNull();
  });

  it.each([0, 0.2, 0.5, 1])('is wrong by no more than its bound, with %f of the trip on the way there', (share) => {
    const [asked, trip, trueOffset] = [1_000, 600, 123_456];
    const server = asked + trip * share + trueOffset;
    const estimate = bestOf([{ asked, answered: asked + trip, server }]);
    expect(Math.abs((estimate?.offsetUs ?? NaN) - trueOffset)).toBeLessThanOrEqual(estimate?.boundUs ?? NaN);
  });
});

describe('a clock', () => {
  let local: number;
  /** How long a question is on its way, there and back; the server is 5 ms ahead. */
  let tripUs: number;
  let isUp: boolean;

  async function ask(): Promise<Sample> {
    if (!isUp) throw new Error('down');
    const asked = local;
    local += tripUs;
    return { asked, answered: local, server: asked + tripUs / 2 + 5_000 };
  }

  let clock: Clock;

  beforeEach(() => {
    local = 0;
    tripUs = 100;
    isUp = true;
    clock = createClock(ask, () => local);
  });

  it('is unknown until it has been asked', async () => {
    expect([clock.now(), clock.estimate]).toEqual([null, null]);
    await clock.refresh();
    expect(clock.estimate).toEqual({ offsetUs: 5_000, boundUs: 50 });
    expect(clock.now()).toBe(local + 5_000);
  });

  it('keeps a good estimate over a later poor one, until it has aged', async () => {
    await clock.refresh();
    tripUs = 2_000;
    await clock.refresh();
    expect(clock.estimate?.boundUs).toBeCloseTo(51, 0);
    local += 60_000_000;
    await clock.refresh();
    expect(clock.estimate?.boundUs).toBe(1_000);
  });

  it('keeps the old estimate when it cannot be asked again', async () => {
    await clock.refresh();
    isUp = false;
    await expect(clock.refresh()).rejects.toThrow('down');
    expect(clock.now()).toBe(local + 5_000);
  });
});

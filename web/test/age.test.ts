import { describe, expect, it } from 'vitest';
import { ageOf, AgeWindow, bucketOf, Histogram } from '../src/age.ts';

describe('buckets', () => {
  it('are in order and within 3 % of every age', () => {
    let last = -1;
    for (let us = 0; us < 100_000_000; us = Math.ceil(us * 1.01 + 0.5)) {
      const bucket = bucketOf(us);
      expect(bucket).toBeGreaterThanOrEqual(last);
      expect(Math.abs(ageOf(bucket) - us)).toBeLessThanOrEqual(us * 0.03);
      last = bucket;
    }
  });

  it('take what is out of range at their ends', () => {
    expect(bucketOf(-5)).toBe(0);
    expect(bucketOf(1e12)).toBe(bucketOf(2 ** 27 - 1));
  });
});

describe('a histogram', () => {
  it('has no quantile without ages', () => {
    expect(new Histogram().quantile(0.5)).toBeNull();
  });

  it('gives the quantiles of what it was given', () => {
    const histogram = new Histogram();
    for (let us = 1; us <= 10_000; us += 1) histogram.add(us);
    expect((histogram.quantile(0.5) ?? 0) / 5_000).toBeCloseTo(1, 1);
    expect((histogram.quantile(0.99) ?? 0) / 9_900).toBeCloseTo(1, 1);
  });

  it('gives back exactly what is subtracted', () => {
    const [all, some] = [new Histogram(), new Histogram()];
    all.add(20);
    for (const histogram of [all, some]) histogram.add(500_000);
    all.subtract(some);
    expect([all.total, all.quantile(0.99)]).toEqual([1, 20]);
  });
});

describe('a window', () => {
  it('forgets a second when it has slid past', () => {
    const window = new AgeWindow(2);
    window.add(10);
    expect(window.roll()).toEqual({ p50: 10, p99: 10 });
    window.add(30);
    window.roll();
    expect(window.quantile(0.99)).toBe(30);
    expect(window.quantile(0.5)).toBe(10);
    window.roll();
    expect(window.quantile(0.5)).toBe(30);
    window.roll();
    expect(window.quantile(0.5)).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { arrow, bytes, change, count, milliseconds, NONE, percent, price, seconds } from '../src/format.ts';

describe('prices', () => {
  it('have the decimals of their symbol', () => {
    expect(price(1190.1, 2)).toBe('1,190.10');
    expect(price(0.1234, 4)).toBe('0.1234');
  });

  it('change with a sign', () => {
    expect([change(1.5, 2), change(-1.5, 2), change(0, 2)]).toEqual(['+1.50', '−1.50', '0.00']);
    expect([percent(0.0123), percent(-0.5), percent(0)]).toEqual(['+1.23%', '−50.00%', '0.00%']);
  });

  it('have a direction beside their colour', () => {
    expect([arrow(1), arrow(-1), arrow(0)]).toEqual(['▲', '▼', '']);
  });
});

describe('times', () => {
  it.each([
    [null, NONE],
    [0, '0.00 ms'],
    [420, '0.42 ms'],
    [3_104, '3.10 ms'],
    [9_996, '10.0 ms'],
    [48_230, '48.2 ms'],
    [512_400, '512 ms'],
    [999_700, '1.00 s'],
    [12_340_000, '12.3 s'],
  ])('%s µs is %s', (us, text) => {
    expect(milliseconds(us)).toBe(text);
  });

  it.each([
    [-5, '0.0 s'],
    [440_000, '0.4 s'],
    [12_400_000, '12 s'],
    [180_000_000, '3 min'],
  ])('%s µs of waiting is %s', (us, text) => {
    expect(seconds(us)).toBe(text);
  });
});

it('counts are grouped, bytes are rounded with size', () => {
  expect(count(1_234_567)).toBe('1,234,567');
  expect([bytes(0), bytes(4.25), bytes(73.04), bytes(6_812.4)]).toEqual(['0', '4.3', '73.0', '6,812']);
});

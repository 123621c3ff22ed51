import type { Locator, Page } from '@playwright/test';
import { expect, test } from './server.ts';

const LANES = ['websocket', 'sse', 'long_poll', 'short_poll'];

const lane = (page: Page, name: string): Locator => page.locator(`[data-lane="${name}"]`);

async function figure(page: Page, name: string, field: string): Promise<number> {
  const text = await lane(page, name).locator(`[data-field="${field}"]`).innerText();
  return Number(text.replaceAll(',', ''));
}

async function texts(page: Page, field: string): Promise<string[]> {
  return page.locator(`#quotes tbody tr:visible [data-field="${field}"]`).allInnerTexts();
}

const numbers = (cells: string[]): number[] => cells.map((cell) => Number(cell.replaceAll(',', '')));

async function expectAllLive(page: Page): Promise<void> {
  for (const name of LANES) await expect(lane(page, name)).toHaveAttribute('data-state', 'live');
  await expect(page.getByRole('status')).toHaveText('All lanes live');
}

test('ticks arrive on every lane, without an error or a violation of the policy', async ({ page }) => {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto('/');
  await expectAllLive(page);
  for (const name of LANES) {
    await expect.poll(() => figure(page, name, 'ticks')).toBeGreaterThan(5);
    await expect(lane(page, name).locator('[data-field="p99"]')).toHaveText(/\d (ms|s)$/);
    await expect.poll(() => figure(page, name, 'bytes')).toBeGreaterThan(20);
    expect(await figure(page, name, 'missed')).toBe(0);
  }
  await expect(page.locator('#clock')).toHaveText(/^clock [+−][\d.]+ m?s ± [\d.]+ m?s$/);
  expect(complaints).toEqual([]);
});

test('all symbols are listed with their names, and their prices move', async ({ page, request }) => {
  const { symbols } = (await (await request.get('/v1/symbols')).json()) as { symbols: { symbol: string; name: string }[] };
  const expected = symbols.toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1));
  await page.goto('/');
  await expect.poll(() => texts(page, 'symbol')).toEqual(expected.map(({ symbol }) => symbol));
  await expect.poll(() => texts(page, 'name')).toEqual(expected.map(({ name }) => name));
  const before = await texts(page, 'last');
  await expect.poll(() => texts(page, 'last')).not.toEqual(before);
});

test('every lane can feed the table', async ({ page }) => {
  await page.goto('/');
  await expectAllLive(page);
  for (const name of LANES) {
    await page.getByLabel('from').selectOption(name);
    const before = await texts(page, 'volume');
    await expect.poll(() => texts(page, 'volume')).not.toEqual(before);
  }
});

test('a paused table stands still, counts what it withholds, and sorts', async ({ page }) => {
  await page.goto('/');
  await expect.poll(async () => (await texts(page, 'symbol')).length).toBeGreaterThan(1);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.locator('#table-note')).toHaveText(/^paused, [1-9][\d,]* updates? withheld$/);

  const last = page.getByRole('columnheader', { name: 'Last' });
  await last.getByRole('button').click();
  await expect(last).toHaveAttribute('aria-sort', 'descending');
  const descending = numbers(await texts(page, 'last'));
  await expect.poll(async () => numbers(await texts(page, 'last'))).toEqual(descending.toSorted((a, b) => b - a));
  await last.getByRole('button').click();
  await expect.poll(async () => numbers(await texts(page, 'last'))).toEqual(descending.toSorted((a, b) => a - b));

  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.locator('#table-note')).toBeEmpty();
});

test('the filter finds symbols and names', async ({ page, request }) => {
  const { symbols } = (await (await request.get('/v1/symbols')).json()) as { symbols: { symbol: string; name: string }[] };
  const wanted = symbols.at(-1);
  if (wanted === undefined) throw new Error('the server has no symbols');
  await page.goto('/');
  await expect.poll(async () => (await texts(page, 'name')).join('')).not.toBe('');
  await page.getByLabel('filter').fill(wanted.name.toLowerCase());
  await expect.poll(() => texts(page, 'symbol')).toContain(wanted.symbol);
  expect((await texts(page, 'symbol')).length).toBeLessThan(symbols.length);
  await page.getByLabel('filter').fill('no such thing');
  await expect(page.getByText('No symbol or name matches the filter.')).toBeVisible();
});

test.describe('in the dark', () => {
  test.use({ colorScheme: 'dark' });

  test('the page is dark, and fits a phone', async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto('/');
    await expectAllLive(page);
    const brightness = await page.evaluate(() => {
      const sum = (color: string) => (color.match(/\d+/g) ?? []).slice(0, 3).reduce((all, part) => all + Number(part), 0);
      const { backgroundColor, color } = getComputedStyle(document.body);
      return { page: sum(backgroundColor), ink: sum(color) };
    });
    expect(brightness.page).toBeLessThan(150);
    expect(brightness.ink).toBeGreaterThan(500);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  });
});

test('when the server restarts, the page says so and every lane comes back', async ({ page, server }) => {
  await page.goto('/');
  await expectAllLive(page);
  await server.kill();
  await expect(page.getByRole('status')).toHaveText('No lane is live, reconnecting');
  for (const name of LANES) await expect(lane(page, name)).toHaveAttribute('data-state', /waiting|connecting/);
  await expect(page.locator('#table-note')).toHaveText(/^stale for/);
  await expect(page.locator('#quotes')).toHaveClass('stale');

  await server.start();
  await expectAllLive(page);
  await expect(page.locator('#quotes')).not.toHaveClass('stale');
  for (const name of LANES) {
    const before = await figure(page, name, 'ticks');
    await expect.poll(() => figure(page, name, 'ticks')).toBeGreaterThan(before + 5);
  }
  // The new tape has another epoch: the three that resume are told so.
  for (const name of LANES.slice(0, 3)) await expect.poll(() => figure(page, name, 'resyncs')).toBe(1);
});

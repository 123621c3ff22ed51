/** The golden frames: exactly what the server sends. */

import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../docs/frames/', import.meta.url);

export const goldenNames = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

export function golden(name: string): string {
  return readFileSync(new URL(`${name}.json`, FOLDER), 'utf8').trimEnd();
}

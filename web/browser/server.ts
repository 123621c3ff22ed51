/** The real server, on a port of its own, that a test may kill and start again. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test as base, expect } from '@playwright/test';

const BINARY = process.env['TICKERTAPE_BIN'] ?? fileURLToPath(new URL('../../target/release/tickertape', import.meta.url));

export class Server {
  readonly url: string;
  readonly #address: string;
  #process: ChildProcess | null = null;

  constructor(port: number) {
    this.#address = `127.0.0.1:${port}`;
    this.url = `http://${this.#address}`;
  }

  async start(): Promise<void> {
    const child = spawn(BINARY, ['serve', '--bind', this.#address], {
      env: { ...process.env, RUST_LOG: 'warn' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.#process = child;
    const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
    const alive = expect(async () => expect((await fetch(`${this.url}/livez`)).ok).toBe(true)).toPass({ timeout: 15_000 });
    await Promise.race([alive, failed]);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

/** A random port that is free now. One that the system chooses may be one that Chromium refuses. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 40_000);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

/** `server` is running; relative addresses lead to it. */
export const test = base.extend<{ baseURL: string }, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = new Server(await freePort());
      await server.start();
      await use(server);
      await server.kill();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ server }, use) => use(server.url),
});

export { expect };

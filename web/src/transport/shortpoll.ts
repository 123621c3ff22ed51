/** Short-poll, the baseline: read the whole board once a second, whether it changed or not. */

import { poll } from './poll.ts';
import type { Transport } from './transport.ts';

const INTERVAL_MS = 1_000;

export const shortPoll: Transport = {
  name: 'short_poll',
  muteMs: 10_000,

  open(_cursor, sink) {
    return poll(() => '/v1/quotes', INTERVAL_MS, sink);
  },
};

/** Long-poll: ask, be answered when there is something, ask again from there. */

import { poll } from './poll.ts';
import { withCursor, type Transport } from './transport.ts';

/** How long the server may keep a request waiting; it adds up to a sixteenth of it. */
const WAIT_S = 25;

export const longPoll: Transport = {
  name: 'long_poll',
  muteMs: WAIT_S * 1_000 * (17 / 16) + 10_000,

  open(cursor, sink) {
    // The first one does not wait, so that a quiet tape cannot be mistaken for a dead server.
    return poll((first) => withCursor('/v1/poll', cursor(), { wait: first ? '0' : String(WAIT_S) }), 0, sink);
  },
};

#!/bin/sh
# Measures the websocket transport; takes the flags of `cargo loadtest run`.
cd "$(dirname "$0")/.." && exec cargo loadtest run --transport websocket "$@"

#!/bin/sh
# Measures the ndjson transport; takes the flags of `cargo loadtest run`.
cd "$(dirname "$0")/.." && exec cargo loadtest run --transport ndjson "$@"

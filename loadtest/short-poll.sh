#!/bin/sh
# Measures the short-poll transport; takes the flags of `cargo loadtest run`.
cd "$(dirname "$0")/.." && exec cargo loadtest run --transport short-poll "$@"

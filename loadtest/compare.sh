#!/bin/sh
# Measures every transport in turn; takes the flags of `cargo loadtest compare`.
cd "$(dirname "$0")/.." && exec cargo loadtest compare "$@"

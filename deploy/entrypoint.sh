#!/bin/sh
# The command `lookahead` where set-up was done before, as in an image or under systemd: fetches and compiles nothing.
self=$(readlink -f -- "$0")
exec node "$(dirname -- "$self")/../dist/main.js" "$@"

#!/bin/sh
# Tags the lock's commit, after it was judged: docs/PRODUCTION_LOCK.md. Takes what `agenttrader lock tag` takes.
set -eu
exec agenttrader lock tag "$@"

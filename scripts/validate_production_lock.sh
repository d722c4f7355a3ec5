#!/bin/sh
# Judges this repository by the production lock: docs/PRODUCTION_LOCK.md. Takes what `agenttrader lock validate` takes.
set -eu
exec agenttrader lock validate "$@"

# Copyright AgentTrader contributors. SPDX-License-Identifier: Apache-2.0
"""Audits every tile and entry bundle of a log with aics-tlog, whose command does not offer it: DIR SIZE ROOT (base64)."""

import base64
import json
import sys

from aics_tlog import FileSystemTileReader, audit_tiles

directory, size, root = sys.argv[1], int(sys.argv[2]), base64.b64decode(sys.argv[3], validate=True)
try:
    report = audit_tiles(FileSystemTileReader(directory), size, root)
except (ValueError, OSError) as error:
    print(json.dumps({"ok": False, "error": f"{type(error).__name__}: {error}"}))
    sys.exit(1)
print(json.dumps({"ok": True, "size": report.size, "root": sys.argv[3]}))

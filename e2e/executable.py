"""Reads cargo's messages and prints where a binary was put: `trivium`, or the one that the first argument names."""

import json
import sys

name = sys.argv[1] if len(sys.argv) > 1 else "trivium"
executable = None
for line in sys.stdin:
    message = json.loads(line)
    if message.get("reason") == "compiler-artifact" and message["target"]["name"] == name:
        executable = message.get("executable") or executable
if executable is None:
    sys.exit(f"cargo built no binary named {name}")
print(executable)

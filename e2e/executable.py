"""Reads cargo's messages and prints where the trivium binary was put."""

import json
import sys

executable = None
for line in sys.stdin:
    message = json.loads(line)
    if message.get("reason") == "compiler-artifact" and message["target"]["name"] == "trivium":
        executable = message.get("executable") or executable
if executable is None:
    sys.exit("cargo built no binary named trivium")
print(executable)

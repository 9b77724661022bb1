"""The examples of docs/mcp.md: those that can be run are run, and those for clients that are not here are read."""

import json
import re
import subprocess
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "mcp.md"
ADDRESS = "http://127.0.0.1:20128"
SECONDS = 30

# What a shell can run here; other commands are clients' own.
COMMANDS = ("curl ", "trivium ")


def blocks():
    """The page's examples as their language and text."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def check(chosen, stage, hub, key):
    """Runs all; how many there were, and what went wrong."""
    env = stage.env | {"TRIVIUM_KEY": key, "PATH": f"{chosen.trivium.resolve().parent}:{stage.env['PATH']}"}
    ran, problems = 0, []
    for at, (language, text) in enumerate(blocks()):
        text = text.replace(ADDRESS, hub)
        if language == "json":
            json.loads(text)
            continue
        if language == "js":
            # Modules are looked up from the file's own folder.
            file = chosen.modules / f"example-{at}.mjs"
            file.write_text(text)
            command = [chosen.node, file]
        elif language == "python":
            command = [chosen.python, "-c", text]
        elif language == "sh" and text.startswith(COMMANDS):
            command = ["bash", "-euc", text]
        else:
            continue
        done = subprocess.run(
            [str(one) for one in command], env=env, cwd=stage.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=SECONDS,
        )
        ran += 1
        if done.returncode != 0 or not done.stdout.strip():
            problems.append(f"the example\n{text}ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return ran, problems

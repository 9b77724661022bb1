"""The hub as an MCP server, by others' judgement: the public conformance suite, and the official clients with every tool."""

import argparse
import collections
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import page
import plan
from stage import OPERATOR_KEY, Stage, Trouble

SUITE_SECONDS = 120

# What each revision requires of a server, and how many checks the suite makes of it. Fewer would be a suite that broke off.
REQUIRED = {"2025-11-25": 83, "2026-07-28": 197}

# What the suite itself leaves out: its only check is still to be written.
LEFT_OUT = {("tasks-status-notifications", "SKIPPED")}

# What of the scenarios without fixtures is about one all the same: a tool whose answer is cut.
WITHOUT_FIXTURES = {("server-sse-disconnect-resume", "WARNING")}

# What needs no fixtures, asked of the hub as it is.
PLAIN = {
    "2025-11-25": [
        "server-initialize", "ping", "tools-list", "server-sse-multiple-streams", "server-sse-polling",
        "server-session-lifecycle", "dns-rebinding-protection",
    ],
    "2026-07-28": [
        "tools-list", "server-sse-multiple-streams", "dns-rebinding-protection", "caching", "http-header-validation",
    ],
}

# How clients reach a hub. One that is not there fails.
TRANSPORTS = ["http", "sse", "stdio"]

# The clients: by which program, under which name there, and by which transports.
CLIENTS = [
    ("node", "v1", TRANSPORTS),
    ("node", "v2", TRANSPORTS),
    ("node", "v2-auto", TRANSPORTS),
    ("python", "auto", ["http"]),
    ("python", "legacy", ["http"]),
]


class Open(Stage):
    """A hub that asks nobody for a key: the suite has none."""

    def configuration(self, simulator):
        return "auth: {required: false}\n" + super().configuration(simulator)


class Full(Stage):
    """A hub that lists every tool and speaks every transport."""

    def configuration(self, simulator):
        return "mcp: {profile: full, legacy_sse: on}\n" + super().configuration(simulator)


class Result:
    """How one part went."""

    def __init__(self, name):
        self.name, self.problems, self.counted, self.seconds = name, [], "", 0.0


def part(name, stage_class, binary, work):
    """Runs `work` on a stage of its own."""
    result, began = Result(name), time.monotonic()
    stage = stage_class(binary)
    try:
        simulator, hub = stage.start()
        result.counted = work(stage, simulator, hub, result)
    except (Trouble, OSError, RuntimeError, subprocess.SubprocessError) as trouble:
        result.problems.append(str(trouble))
    finally:
        result.problems += stage.stop()
        if result.problems and stage.hub is not None:
            result.problems.append(f"-- the last lines of the hub's log\n{stage.hub.tail()}")
        stage.remove()
    result.seconds = time.monotonic() - began
    return result


def run(command, stage, env=None):
    return subprocess.run(
        [str(one) for one in command], env=stage.clean | (env or {}), cwd=stage.folder, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=SUITE_SECONDS,
    )


def judged(folder, result, but):
    """The suite's checks below a folder; every one that did not go well is a problem, warnings too, `but` for these."""
    counts = collections.Counter()
    for file in sorted(folder.glob("*/checks.json")):
        for check in json.loads(file.read_text()):
            counts[check["status"]] += 1
            if check["status"] not in ("SUCCESS", "INFO") and (check["id"], check["status"]) not in but:
                result.problems.append(f"{file.parent.name}: {check['id']} {check['status']}: {str(check.get('errorMessage'))[:1000]}")
    return counts["SUCCESS"]


def required(chosen, revision):
    """All that a revision requires, and what it leaves open, of the hub with the fixtures."""

    def work(stage, _, hub, result):
        out = stage.folder / "out"
        done = run([*chosen.conformance, "server", "--url", f"{hub}/mcp", "--requirements", revision, "-o", out], stage)
        if done.returncode != 0:
            result.problems.append(f"the suite ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")
        passed = judged(out, result, LEFT_OUT)
        if passed != REQUIRED[revision]:
            result.problems.append(f"{REQUIRED[revision]} checks were expected, {passed} passed")
        return f"{passed} checks"

    return part(f"conformance {revision}, fixtures", Open, chosen.fixtures, work)


def plain(chosen, revision):
    """What needs no fixtures, of the hub as it is."""

    def work(stage, _, hub, result):
        passed = 0
        for scenario in PLAIN[revision]:
            out = stage.folder / scenario
            command = [*chosen.conformance, "server", "--url", f"{hub}/mcp", "--scenario", scenario]
            done = run([*command, "--spec-version", revision, "-o", out], stage)
            found = judged(out, result, WITHOUT_FIXTURES)
            passed += found
            if done.returncode != 0 or not found:
                result.problems.append(f"{scenario} ended with {done.returncode} after {found} checks:\n{done.stdout[-1000:]}")
        return f"{passed} checks"

    return part(f"conformance {revision}, as it is", Open, chosen.trivium, work)


def client(chosen, program, name, transport):
    """Every tool, called by a client."""

    def work(stage, simulator, hub, result):
        calls = plan.calls(plan.Hub(hub, OPERATOR_KEY), simulator)
        context = {
            "url": hub, "key": OPERATOR_KEY, "trivium": str(chosen.trivium), "env": stage.env, "calls": calls,
        }
        command = {"node": [chosen.node, chosen.clients], "python": [chosen.python, "-B", HERE / "client.py"]}[program]
        done = run([*command, name, transport], stage, {"E2E_MCP": json.dumps(context)})
        if done.returncode != 0:
            result.problems.append((done.stdout + done.stderr)[-6000:])
        return done.stdout.strip()

    return part(f"{program} {name} over {transport}", Full, chosen.trivium, work)


def examples(chosen):
    """The examples of the page about MCP."""

    def work(stage, _, hub, result):
        key = stage.create_key("reader", "--scope", "read:health", "--scope", "read:models")
        ran, problems = page.check(chosen, stage, hub, key)
        result.problems += problems
        if not ran:
            result.problems.append("no example was run")
        return f"{ran} examples"

    return part("docs/mcp.md", Stage, chosen.trivium, work)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trivium", type=Path, required=True)
    parser.add_argument("--fixtures", type=Path, required=True, help="the binary that offers the suite's fixtures")
    parser.add_argument("--node", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--modules", type=Path, required=True, help="the folder of the Node packages")
    parser.add_argument("--only", default="", help="just the parts that have this in their name")
    chosen = parser.parse_args()
    chosen.clients = chosen.modules / "clients.mjs"
    suite = chosen.modules / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
    chosen.conformance = [chosen.node, suite]
    parts = [(f"conformance {revision}, fixtures", lambda it=revision: required(chosen, it)) for revision in REQUIRED]
    parts += [(f"conformance {revision}, as it is", lambda it=revision: plain(chosen, it)) for revision in PLAIN]
    parts += [
        (f"{program} {name} over {transport}", lambda it=(program, name, transport): client(chosen, *it))
        for program, name, transports in CLIENTS
        for transport in transports
    ]
    parts.append(("docs/mcp.md", lambda: examples(chosen)))
    began = time.monotonic()
    with ThreadPoolExecutor(min(4, (os.cpu_count() or 1) + 1)) as pool:
        results = list(pool.map(lambda one: one[1](), [one for one in parts if chosen.only in one[0]]))
    for result in results:
        mark = "FAIL" if result.problems else "ok  "
        print(f"{mark} {result.name:<38} {result.counted:<12} {result.seconds:5.1f} s")
    for result in (one for one in results if one.problems):
        print(f"\n== {result.name}", *result.problems, sep="\n")
    failed = sum(bool(result.problems) for result in results)
    print(f"\nMCP: {len(results) - failed} of {len(results)} parts passed in {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())

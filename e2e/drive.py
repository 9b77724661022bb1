"""Runs the suites, some side by side, each with a simulator and a hub of its own, and sums up. Standard library only."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import scenarios
from stage import OPERATOR_KEY, Process, Stage, Trouble

HERE = Path(__file__).resolve().parent
SUITE_SECONDS = 420

# Marks the tests against the hub and those against the simulator itself.
MODES = ("simulator", "hub")

# Each runs in a process of its own; the longest first.
PYTHON_SUITES = {
    "python-talk": ["talk.py"],
    "python-talk-async": ["talk.py", "--async"],
    "python-agents": ["agents.py"],
    "python-golden": ["golden.py"],
    "python-async": ["openai_chat.py", "--async"],
    "python": ["openai_chat.py"],
    "python-anthropic": ["anthropic_messages.py"],
    "python-openai": ["openai_more.py"],
    "python-genai": ["google_genai.py"],
}

# What only a hub has.
HUB_SUITES = {
    "management": ["management.py"],
    "migrated": ["migrated.py"],
}

NODE_SUITES = {
    "node-talk": "talk.mjs",
    "node": "openai-chat.mjs",
    "node-vendors": "vendors.mjs",
    "node-ai": "ai.mjs",
}

# Set when no more suites are to begin.
STOPPED = threading.Event()


class Suite:
    """One program of tests, run against the simulator and against the hub."""

    def __init__(self, name, command, chosen, link=None, modes=MODES):
        self.name, self.command, self.chosen, self.link, self.modes = name, command, chosen, link, modes
        self.passed = self.failed = 0
        self.report = []
        self.seconds = 0.0
        self.process = None

    def kill(self):
        """Ends the program of tests, if it runs."""
        if self.process is not None and self.process.child.poll() is None:
            self.process.child.kill()

    def fail(self, text):
        self.failed += 1
        self.report.append(f"FAIL {self.name}: {text}")

    def run(self):
        """All runs on a fresh stage."""
        if STOPPED.is_set():
            return
        began = time.monotonic()
        stage = Stage(self.chosen.trivium)
        try:
            simulator, hub = stage.start()
            if self.link is not None:
                # Modules are looked up from the file's own folder: so it goes next to a link to the installed ones.
                (stage.folder / "node_modules").symlink_to(self.link)
                shutil.copytree(HERE / "node", stage.folder / "node")
            for mode in self.modes:
                if not STOPPED.is_set():
                    self.run_mode(stage, mode, simulator, hub)
        except (Trouble, OSError, subprocess.SubprocessError) as trouble:
            self.fail(trouble)
        finally:
            for problem in stage.stop():
                self.fail(problem)
            if self.failed and stage.hub is not None:
                self.report.append(f"-- the last lines of the hub's log ({self.name})\n{stage.hub.tail()}")
            stage.remove()
        self.seconds = time.monotonic() - began

    def run_mode(self, stage, mode, simulator, hub):
        result, log = stage.folder / f"result-{mode}.json", stage.folder / f"suite-{mode}.log"
        env = stage.clean | {"E2E_CONTEXT": json.dumps(self.context(stage, mode, simulator, hub, result))}
        # Each run counts requests from zero.
        forget = urllib.request.Request(f"{simulator}/__log", method="DELETE")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(forget, timeout=5):
            pass
        suite = self.process = Process(f"{self.name} against the {mode}", self.command, log, env)
        try:
            code = suite.child.wait(SUITE_SECONDS)
        except subprocess.TimeoutExpired:
            code = f"no end within {SUITE_SECONDS} s"
        finally:
            self.kill()
            suite.child.wait()
        try:
            counts = json.loads(result.read_text())
            passed, failed = counts["passed"], counts["failed"]
        except (OSError, ValueError, KeyError):
            passed, failed = 0, 0
        self.passed, self.failed = self.passed + passed, self.failed + failed
        text = suite.text()
        # A suite that broke off, ran nothing or says "fine" with a bad exit code must not pass for a good one.
        if failed == 0 and (code != 0 or (passed == 0 and not self.chosen.match)):
            self.fail(f"the suite itself, against the {mode}: {code}\n{suite.tail()}")
        elif failed or self.chosen.verbose:
            lines = text if self.chosen.verbose else failures(text)
            self.report.append(f"== {self.name}, against the {mode}\n{lines}")

    def context(self, stage, mode, simulator, hub, result):
        origin = hub if mode == "hub" else simulator
        return {
            "mode": mode,
            "origin": origin,
            "base_url": f"{origin}/v1",
            "simulator": simulator,
            "key": stage.create_key(f"{mode} suite") if mode == "hub" else None,
            "accounts": scenarios.accounts(),
            "connections": {row["id"]: row for row in scenarios.connections()},
            "dialects": scenarios.DIALECTS,
            "models": scenarios.models(),
            "failing": list(scenarios.FAILING),
            "trivium": str(stage.trivium),
            "operator": OPERATOR_KEY,
            "schemathesis": self.chosen.schemathesis,
            "data_dir": str(stage.data),
            "config": str(stage.config),
            "match": self.chosen.match,
            "result": str(result),
        }


def failures(text):
    """What a suite printed, without the tests that passed."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("ok   "))


def suites(chosen):
    """The suites to run."""
    python = {
        name: Suite(name, [sys.executable, "-B", str(HERE / "python" / file), *more], chosen)
        for name, (file, *more) in PYTHON_SUITES.items()
    }
    node = {
        name: Suite(name, [chosen.node, f"node/{file}"], chosen, chosen.node_modules)
        for name, file in NODE_SUITES.items()
    }
    hub = {
        name: Suite(name, [sys.executable, "-B", str(HERE / "python" / file), *more], chosen, modes=("hub",))
        for name, (file, *more) in HUB_SUITES.items()
    }
    every = python | hub | node
    return [every[name] for name in chosen.only or every]


def main():
    parser = argparse.ArgumentParser(prog="e2e/run", description=__doc__)
    parser.add_argument("--trivium", type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--node", required=True)
    parser.add_argument("--node-modules", type=Path, required=True)
    parser.add_argument("--schemathesis", required=True)
    parser.add_argument("--only", choices=[*PYTHON_SUITES, *HUB_SUITES, *NODE_SUITES], action="append", help="just this suite")
    parser.add_argument("--jobs", type=int, default=min(4, (os.cpu_count() or 1) + 1), help="suites side by side")
    parser.add_argument("--verbose", action="store_true", help="show the tests that pass, too")
    parser.add_argument("--match", default="", metavar="TEXT", help="just the tests that have this in their name")
    chosen = parser.parse_args()
    # So that `finally` runs and nothing stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    began = time.monotonic()
    todo = suites(chosen)
    try:
        run_all(todo, chosen)
    finally:
        # After a signal: without their clients the suites end by themselves.
        STOPPED.set()
        for suite in todo:
            suite.kill()
    return summary(todo, began)


def run_all(todo, chosen):
    """Runs the suites, some side by side, and says how each went."""
    print(f"Running {len(todo)} suites, {chosen.jobs} at a time", flush=True)
    pool = ThreadPoolExecutor(chosen.jobs)
    running = {pool.submit(suite.run): suite for suite in todo}
    for done in as_completed(running):
        suite = running[done]
        done.result()
        mark = "FAIL" if suite.failed else "ok  "
        counts = f"{suite.passed} passed, {suite.failed} failed"
        print(f"{mark} {suite.name:<18} {counts:<24} {suite.seconds:5.1f} s", flush=True)


def summary(todo, began):
    """Prints what failed and the sum; the exit code."""
    for suite in todo:
        for part in suite.report:
            print(f"\n{part}", flush=True)
    passed, failed = sum(suite.passed for suite in todo), sum(suite.failed for suite in todo)
    broken = ", ".join(suite.name for suite in todo if suite.failed)
    print(f"\n{passed} passed, {failed} failed in {time.monotonic() - began:.0f} s{': ' * bool(broken)}{broken}", flush=True)
    # A `--match` that nothing has in its name is a slip.
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

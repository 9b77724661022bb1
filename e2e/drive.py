"""Runs the suites, some side by side, each with a simulator and a hub of its own, and sums up. Standard library only."""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import scenarios

HERE = Path(__file__).resolve().parent
START_SECONDS = 20
SUITE_SECONDS = 180
STOP_SECONDS = 10
TAIL_LINES = 30

# Marks the tests against the hub and those against the simulator itself.
MODES = ("simulator", "hub")


class Trouble(Exception):
    """Something other than a test failed."""


class Process:
    """A child in the background, its output in a file."""

    def __init__(self, name, command, log, env):
        self.name, self.log = name, log
        with open(log, "wb") as output:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env, cwd=log.parent
            )

    def text(self):
        return self.log.read_text(errors="replace")

    def tail(self):
        # Requests that went well are no news.
        lines = [line for line in self.text().splitlines() if '"message":"completed"' not in line or '"status":200' not in line]
        return "\n".join(lines[-TAIL_LINES:])

    def wait_for(self, what, probe):
        """Calls `probe` until it returns something; gives up when the process ends or time is up."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise Trouble(f"{self.name} ended with {self.child.returncode}:\n{self.tail()}")
            found = probe()
            if found is not None:
                return found
            time.sleep(0.05)
        raise Trouble(f"{self.name} {what} not within {START_SECONDS} s:\n{self.tail()}")

    def stop(self):
        """Ends it politely. False if it had ended by itself, did not obey, or ended with an error."""
        if self.child.poll() is not None:
            return False
        self.child.terminate()
        try:
            return self.child.wait(STOP_SECONDS) == 0
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return False


class Stage:
    """A simulator and a hub in front of it, in a folder of their own."""

    def __init__(self, trivium):
        self.trivium = trivium
        self.folder = Path(tempfile.mkdtemp(prefix="trivium-e2e-"))
        self.data = self.folder / "data"
        self.config = self.folder / "providers.yaml"
        self.mock = self.hub = None
        # Nothing of the caller's environment may configure what is tested, or lead the clients elsewhere.
        ours = re.compile(
            r"^(TRIVIUM.*|DATA_DIR|PORT|HOST|API_KEY|LOG_LEVEL|RATE_LIMIT_MAX|(OPENAI|ANTHROPIC|GEMINI|GOOGLE)_.*|.*_proxy)$",
            re.I,
        )
        self.clean = {name: value for name, value in os.environ.items() if not ours.match(name)}
        self.env = self.clean | {"DATA_DIR": str(self.data), "TRIVIUM_CONFIG": str(self.config)}

    def start(self):
        models = [f"--models={name}" for name in scenarios.models()]
        command = [self.trivium, "mock", "--port", "0", *models]
        self.mock = Process("the simulator", command, self.folder / "mock.log", self.clean)
        simulator = self.mock.wait_for("says its address", self.mock_address)
        self.config.write_text(self.configuration(simulator))
        self.hub = Process("the hub", [self.trivium, "serve", "--port", "0"], self.folder / "hub.log", self.env)
        return simulator, self.hub.wait_for("is ready", self.hub_address)

    def mock_address(self):
        found = re.search(r"http://127\.0\.0\.1:\d+", self.mock.text())
        return found and found.group()

    def hub_address(self):
        try:
            url = json.loads((self.data / "runtime" / "hub.json").read_text())["base_url"]
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/readyz", timeout=2):
                return url
        except (OSError, ValueError):
            return None

    @staticmethod
    def configuration(simulator):
        rows = [
            {"id": row["id"], "key": row["key"], "dialect": "chat", "models": [model]}
            for model, rows in scenarios.accounts().items()
            if model != "unknown"
            for row in rows
        ]
        lines = ["responses: {keep: on}", "providers:"]
        for row in rows + scenarios.connections():
            dialect = scenarios.DIALECTS[row["dialect"]]
            lines += [
                f"  - id: {row['id']}",
                f"    type: {dialect['type']}",
                f"    base_url: {simulator}{dialect['base']}",
                f"    api_key: {row['key']}",
                f"    models: [{', '.join(row['models'])}]",
            ]
        return "\n".join(lines) + "\n"

    def create_key(self, name):
        done = subprocess.run(
            [self.trivium, "keys", "create", name],
            env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
        )
        if done.returncode != 0:
            raise Trouble(f"keys create ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def stop(self):
        """Ends what runs; the problems with that."""
        running = [process for process in (self.hub, self.mock) if process is not None]
        return [f"{process.name} did not end in an orderly way" for process in running if not process.stop()]

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Suite:
    """One program of tests, run against the simulator and against the hub."""

    def __init__(self, name, command, link=None):
        self.name, self.command, self.link = name, command, link
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

    def run(self, trivium):
        """All runs on a fresh stage."""
        if STOPPED.is_set():
            return
        began = time.monotonic()
        stage = Stage(trivium)
        try:
            simulator, hub = stage.start()
            if self.link is not None:
                # Modules are looked up from the file's own folder: so it goes next to a link to the installed ones.
                (stage.folder / "node_modules").symlink_to(self.link)
                shutil.copytree(HERE / "node", stage.folder / "node")
            for mode in MODES:
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
        if failed == 0 and (code != 0 or (passed == 0 and not MATCH[0])):
            self.fail(f"the suite itself, against the {mode}: {code}\n{suite.tail()}")
        elif failed or VERBOSE.is_set():
            lines = text if VERBOSE.is_set() else failures(text)
            self.report.append(f"== {self.name}, against the {mode}\n{lines}")

    @staticmethod
    def context(stage, mode, simulator, hub, result):
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
            "data_dir": str(stage.data),
            "config": str(stage.config),
            "match": MATCH[0],
            "result": str(result),
        }


def failures(text):
    """What a suite printed, without the tests that passed."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("ok   "))


VERBOSE = threading.Event()
MATCH = [""]
STOPPED = threading.Event()

PYTHON_SUITES = {
    "python": ["openai_chat.py"],
    "python-async": ["openai_chat.py", "--async"],
    "python-talk": ["talk.py"],
    "python-talk-async": ["talk.py", "--async"],
    "python-openai": ["openai_more.py"],
    "python-anthropic": ["anthropic_messages.py"],
    "python-genai": ["google_genai.py"],
    "python-agents": ["agents.py"],
}

NODE_SUITES = {
    "node": "openai-chat.mjs",
    "node-talk": "talk.mjs",
    "node-vendors": "vendors.mjs",
    "node-ai": "ai.mjs",
}


def suites(chosen):
    """The suites to run; the longest first."""
    python = {
        name: Suite(name, [sys.executable, "-B", str(HERE / "python" / file), *more])
        for name, (file, *more) in PYTHON_SUITES.items()
    }
    node = {
        name: Suite(name, [chosen.node, f"node/{file}"], chosen.node_modules) for name, file in NODE_SUITES.items()
    }
    every = python | node
    return [every[name] for name in chosen.only or every]


def main():
    parser = argparse.ArgumentParser(prog="e2e/run", description=__doc__)
    parser.add_argument("--trivium", type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--node", required=True)
    parser.add_argument("--node-modules", type=Path, required=True)
    parser.add_argument("--only", choices=[*PYTHON_SUITES, *NODE_SUITES], action="append", help="just this suite")
    parser.add_argument("--jobs", type=int, default=min(4, (os.cpu_count() or 1) + 1), help="suites side by side")
    parser.add_argument("--verbose", action="store_true", help="show the tests that pass, too")
    parser.add_argument("--match", default="", metavar="TEXT", help="just the tests that have this in their name")
    chosen = parser.parse_args()
    MATCH[0] = chosen.match
    if chosen.verbose:
        VERBOSE.set()
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
    running = {pool.submit(suite.run, chosen.trivium): suite for suite in todo}
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
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Starts a simulator and a hub for each run of a client suite, runs it, and sums up. Standard library only."""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import scenarios

HERE = Path(__file__).resolve().parent
START_SECONDS = 20
SUITE_SECONDS = 180
STOP_SECONDS = 10
TAIL_LINES = 60

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
        return "\n".join(self.text().splitlines()[-TAIL_LINES:])

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
        ours = re.compile(r"^(TRIVIUM.*|DATA_DIR|PORT|HOST|API_KEY|LOG_LEVEL|RATE_LIMIT_MAX|OPENAI_.*|.*_proxy)$", re.I)
        self.clean = {name: value for name, value in os.environ.items() if not ours.match(name)}
        self.env = self.clean | {"DATA_DIR": str(self.data), "TRIVIUM_CONFIG": str(self.config)}

    def start(self):
        models = [f"--models={name}" for name in scenarios.SCENARIOS if name != "unknown"]
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
        lines = ["providers:"]
        for model, rows in scenarios.accounts().items():
            if model == "unknown":
                continue
            for row in rows:
                lines += [
                    f"  - id: {row['id']}",
                    "    type: openai-compatible",
                    f"    base_url: {simulator}/v1",
                    f"    api_key: {row['key']}",
                    f"    models: [{model}]",
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


def run_suite(stage, label, command, mode, simulator, hub):
    """Runs one suite; returns (passed, failed)."""
    result = stage.folder / f"result-{mode}.json"
    context = {
        "mode": mode,
        "base_url": f"{hub if mode == 'hub' else simulator}/v1",
        "simulator": simulator,
        "key": stage.create_key(f"{mode} suite") if mode == "hub" else None,
        "accounts": scenarios.accounts(),
        "failing": list(scenarios.FAILING),
        "trivium": str(stage.trivium),
        "data_dir": str(stage.data),
        "config": str(stage.config),
        "result": str(result),
    }
    env = stage.clean | {"E2E_CONTEXT": json.dumps(context)}
    # Each run counts requests from zero.
    forget = urllib.request.Request(f"{simulator}/__log", method="DELETE")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(forget, timeout=5):
        pass
    print(f"\n== {label}, against the {mode}", flush=True)
    suite = subprocess.Popen(command, env=env, cwd=stage.folder, stdin=subprocess.DEVNULL)
    try:
        code = suite.wait(SUITE_SECONDS)
    except subprocess.TimeoutExpired:
        code = f"no end within {SUITE_SECONDS} s"
    finally:
        if suite.poll() is None:
            suite.kill()
            suite.wait()
    try:
        counts = json.loads(result.read_text())
        passed, failed = counts["passed"], counts["failed"]
    except (OSError, ValueError, KeyError):
        passed, failed = 0, 0
    # A suite that broke off, ran nothing or says "fine" with a bad exit code must not pass for a good one.
    if failed == 0 and (code != 0 or passed == 0):
        print(f"FAIL the suite itself: {code}", flush=True)
        failed = 1
    return passed, failed


def run_client(trivium, label, prepare):
    """All runs of one client on a fresh stage; returns (passed, failed)."""
    stage = Stage(trivium)
    passed = failed = 0
    try:
        simulator, hub = stage.start()
        command = prepare(stage)
        for mode in MODES:
            more, worse = run_suite(stage, label, command, mode, simulator, hub)
            passed, failed = passed + more, failed + worse
    except (Trouble, OSError, subprocess.SubprocessError) as trouble:
        print(f"FAIL {label}: {trouble}", flush=True)
        failed += 1
    finally:
        problems = stage.stop()
        for problem in problems:
            print(f"FAIL {label}: {problem}", flush=True)
        failed += len(problems)
        if failed and stage.hub is not None:
            print(f"\n-- the last lines of the hub's log\n{stage.hub.tail()}", flush=True)
        stage.remove()
    return passed, failed


def main():
    parser = argparse.ArgumentParser(prog="e2e/run", description=__doc__)
    parser.add_argument("--trivium", type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--node", required=True)
    parser.add_argument("--node-modules", type=Path, required=True)
    parser.add_argument("--only", choices=["python", "python-async", "node"], action="append")
    chosen = parser.parse_args()
    # So that `finally` runs and nothing stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))

    def node(stage):
        # Modules are looked up from the file's own folder: so it goes next to a link to the installed ones.
        (stage.folder / "node_modules").symlink_to(chosen.node_modules)
        shutil.copy(HERE / "node" / "suite.mjs", stage.folder)
        return [chosen.node, str(stage.folder / "suite.mjs")]

    def python(*more):
        return lambda _stage: [sys.executable, "-B", str(HERE / "python" / "suite.py"), *more]

    clients = {
        "python": ("OpenAI for Python", python()),
        "python-async": ("OpenAI for Python, async", python("--async")),
        "node": ("OpenAI for Node", node),
    }
    passed = failed = 0
    for name in chosen.only or clients:
        label, prepare = clients[name]
        more, worse = run_client(chosen.trivium, label, prepare)
        passed, failed = passed + more, failed + worse
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

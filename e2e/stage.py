"""What a suite plays on: a simulator and a hub in front of it, on free ports, in a folder of their own."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import scenarios

START_SECONDS = 20
STOP_SECONDS = 10
OPERATOR_KEY = "the-operators-key-of-these-tests"
TAIL_LINES = 30


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
            r"^(TRIVIUM.*|DATA_DIR|PORT|HOST|API_KEY|ADMIN_TOKEN|LOG_LEVEL|RATE_LIMIT_MAX|(OPENAI|ANTHROPIC|GEMINI|GOOGLE|OTEL)_.*|.*_proxy)$",
            re.I,
        )
        self.clean = {name: value for name, value in os.environ.items() if not ours.match(name)}
        self.env = self.clean | {
            "DATA_DIR": str(self.data),
            "TRIVIUM_CONFIG": str(self.config),
            # One that no test can revoke.
            "API_KEY": OPERATOR_KEY,
            # As MultiVibe's documentation has it.
            "ADMIN_TOKEN": "change-me",
        }

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

    def configuration(self, simulator):
        rows = [
            {"id": row["id"], "key": row["key"], "dialect": "chat", "models": [model]}
            for model, rows in scenarios.accounts().items()
            if model != "unknown"
            for row in rows
        ]
        lines = [
            "responses: {keep: on}",
            # What the simulator was asked is counted by some tests.
            "diagnosis: {enabled: off}",
            # The best by score is somewhat another one each time; tests name the first.
            "auto: {strategy: listed}",
            'webhooks: [{id: on-call, url: "http://127.0.0.1:9/hook"}]',
            "providers:",
        ]
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

    def create_key(self, name, *options):
        done = subprocess.run(
            [self.trivium, "keys", "create", name, *options],
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

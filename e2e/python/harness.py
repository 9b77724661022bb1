"""What the suites share: the tests' register, checks, the simulator's log, and async clients written down like plain ones."""

import asyncio
import inspect
import json
import os
import subprocess
import sys
import time
import traceback
import urllib.request

CONTEXT = json.loads(os.environ["E2E_CONTEXT"])
HUB = CONTEXT["mode"] == "hub"
ASYNC = "--async" in sys.argv[1:]
# The hub, or the simulator itself.
ORIGIN = CONTEXT["origin"]
LOOP = asyncio.new_event_loop()
DIALECTS = list(CONTEXT["dialects"])
TESTS = []
# Nothing in between: a proxy of the machine's must not answer.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def test(where="both", name=None):
    """A test for both modes, or for `hub` or `simulator` alone."""

    def keep(function):
        what = name or function.__name__.replace("_", " ")
        if where in ("both", CONTEXT["mode"]) and CONTEXT["match"] in what:
            TESTS.append((what, function))
        return function

    return keep


def equal(seen, expected, what):
    assert seen == expected, f"{what}: expected {expected!r}, saw {seen!r}"


def raises(kind, action, exactly=True):
    """The error that `action` ends with; it must be of this class, and `exactly` not of one below it."""
    try:
        result = action()
    except Exception as error:
        if not (type(error) is kind or (not exactly and isinstance(error, kind))):
            raise AssertionError(f"expected {kind.__name__}, saw {type(error).__name__}: {error}") from error
        return error
    raise AssertionError(f"expected {kind.__name__}, but it returned {result!r}")


def soon(what, probe, seconds=2):
    """Waits for something that happens behind the client's back."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        # Async clients need the loop to clean up.
        LOOP.run_until_complete(asyncio.sleep(0.02))
    return found


# Async clients


class Blocking:
    """An async object whose awaitables are awaited on the spot."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return blocking(getattr(self._inner, name))

    def unwrapped(self):
        """The object itself."""
        return self._inner

    def __enter__(self):
        return blocking(LOOP.run_until_complete(self._inner.__aenter__()))

    def __exit__(self, *error):
        return LOOP.run_until_complete(self._inner.__aexit__(*error))

    def __iter__(self):
        items = self._inner.__aiter__()
        while True:
            try:
                yield LOOP.run_until_complete(items.__anext__())
            except StopAsyncIteration:
                return


def blocking(value):
    """`value`, and all that comes out of it, without anything to await."""
    if inspect.isroutine(value):

        def call(*args, **kwargs):
            result = value(*args, **kwargs)
            return blocking(settled(result) if inspect.isawaitable(result) and not hasattr(result, "__aiter__") else result)

        return call
    kind = type(value)
    module = kind.__module__
    inside = any(part in module for part in (".resources", "openai.lib", "anthropic.lib")) or (
        kind.__name__.startswith("Async") and module.split(".")[0] in ("openai", "anthropic", "google")
    )
    lazy = hasattr(kind, "__anext__") or hasattr(kind, "__aenter__") or hasattr(kind, "__aiter__")
    return Blocking(value) if (inside and not hasattr(kind, "model_fields")) or lazy else value


def settled(value):
    async def wait():
        return await value

    return LOOP.run_until_complete(wait())


# What happened at the simulator


def simulator_log():
    """All requests that the simulator saw, oldest first."""
    with OPENER.open(f"{CONTEXT['simulator']}/__log", timeout=5) as response:
        return json.load(response)


def forget_log():
    """Empties the simulator's log."""
    request = urllib.request.Request(f"{CONTEXT['simulator']}/__log", method="DELETE")
    with OPENER.open(request, timeout=5):
        pass


def seen_with(marker):
    """The requests whose bodies contain `marker`."""
    return [entry for entry in simulator_log() if marker in entry["body"]]


def trivium(*arguments):
    """The command line, on the running hub's data; what it printed."""
    env = {**os.environ, "DATA_DIR": CONTEXT["data_dir"], "TRIVIUM_CONFIG": CONTEXT["config"]}
    done = subprocess.run(
        [CONTEXT["trivium"], *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )
    equal(done.returncode, 0, f"exit code of trivium {' '.join(arguments)} ({done.stderr})")
    return done.stdout.strip()


# The end


def run():
    """Runs the tests in order; the exit code."""
    passed = failed = 0
    for name, function in TESTS:
        began = time.monotonic()
        try:
            function()
            passed += 1
            print(f"ok   {name} ({(time.monotonic() - began) * 1000:.0f} ms)", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    with open(CONTEXT["result"], "w") as result:
        json.dump({"passed": passed, "failed": failed}, result)
    return 1 if failed else 0

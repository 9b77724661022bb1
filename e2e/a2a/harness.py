"""What the A2A clients for Python share: the context, a line for each check, and what webhooks were told."""

import asyncio
import json
import os
import sys
import traceback
import urllib.request
import uuid

CONTEXT = json.loads(os.environ["E2E_A2A"])
CHECK_SECONDS = 60
HOOK_SECONDS = 20

CHECKS = []


def check(name):
    """A check of the file."""

    def register(function):
        CHECKS.append((name, function))
        return function

    return register


def equal(got, expected, what=""):
    if got != expected:
        raise AssertionError(f"{what or 'it'} is {got!r} and should be {expected!r}")


def true(holds, what):
    if not holds:
        raise AssertionError(what)


async def refused(work, kind):
    """What a call is refused with: an error of the SDK's own kind."""
    try:
        await work
    except kind as error:
        return error
    except Exception as error:
        raise AssertionError(f"{kind.__name__} was expected, not {error!r}") from error
    raise AssertionError(f"{kind.__name__} was expected, and it went well")


def new_id():
    return str(uuid.uuid4())


async def told(hook, enough):
    """What a webhook was told, as soon as it is enough."""
    url = f"{CONTEXT['hooks']}/{hook}"
    deadline = asyncio.get_running_loop().time() + HOOK_SECONDS
    while True:
        deliveries = await asyncio.to_thread(lambda: json.load(urllib.request.urlopen(url, timeout=5)))
        if enough(deliveries):
            return deliveries
        true(asyncio.get_running_loop().time() < deadline, f"the webhook was told only {deliveries}")
        await asyncio.sleep(0.1)


def upstream():
    """The bodies that the simulator was asked with."""
    with urllib.request.urlopen(f"{CONTEXT['simulator']}/__log", timeout=5) as response:
        log = json.load(response)
    return [json.loads(entry["body"]) for entry in log if entry.get("body")]


async def run():
    failed = 0
    for name, function in CHECKS:
        try:
            await asyncio.wait_for(function(), CHECK_SECONDS)
        except Exception as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in where if frame.filename == sys.argv[0]]
            words = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED {name}: line {lines[-1] if lines else '?'}: {words[:1500]}", flush=True)
        else:
            print(f"ok     {name}", flush=True)
    return 1 if failed else 0


def main():
    sys.exit(asyncio.run(run()))

"""What the clients meet: each scenario is a model, served by accounts of the simulator in this order.

The first part of an account's key says how it behaves (docs/simulator.md). Directly against the simulator, a client
comes with the first account's key.
"""

FAILING = {
    "401": "sim-401",
    "402": "sim-402",
    "429": "sim-429",
    "500": "sim-500",
    "503": "sim-503",
    "close": "sim-close",
    "cut": "sim-cut",
    "empty": "sim-empty",
    "html": "sim-html",
    "badjson": "sim-badjson",
    "sse-error": "sim-sse-error",
}

SCENARIOS = {
    "plain": ["sim-ok"],
    "wrong-key": ["sim-nonsense"],
    "unknown": ["sim-ok"],
    # The same failure once for an answer in one piece and once for a stream: an account that has failed is left out
    # for a while, so each test needs its own.
    **{f"failover-{name}": [key, "sim-ok"] for name, key in FAILING.items()},
    **{f"failover-{name}-stream": [key, "sim-ok"] for name, key in FAILING.items()},
    "runs-dry": ["sim-limit-2", "sim-ok"],
    "all-dry": ["sim-429-retry-20", "sim-429-retry-30"],
    "all-down": ["sim-500", "sim-503"],
    "all-denied": ["sim-401", "sim-403"],
    "refused": ["sim-400", "sim-ok"],
    "unprocessable": ["sim-422", "sim-ok"],
    "hang": ["sim-hang"],
    "hang-stream": ["sim-hang"],
    "stall": ["sim-stall-3"],
    "cut-late": ["sim-cut-3", "sim-ok"],
    "error-late": ["sim-sse-error-3", "sim-ok"],
    "paced": ["sim-pace-30"],
}


def accounts():
    """Per scenario, its accounts as {id, key}; every key is used by one account only, so that the log tells them apart."""
    return {
        name: [
            {"id": f"{name}-{place}", "key": f"{behaviour}.{name}-{place}"}
            for place, behaviour in enumerate(behaviours, 1)
        ]
        for name, behaviours in SCENARIOS.items()
    }

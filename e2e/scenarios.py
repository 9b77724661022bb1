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


# The dialects: a provider of each kind, reached by the connection's id as a prefix: `on-chat/gpt-5`. The models' names
# are such that the simulator is as strict as the vendors are today.
DIALECTS = {
    "chat": {"type": "openai-compatible", "base": "/v1", "model": "gpt-5"},
    "responses": {"type": "responses-compatible", "base": "/v1", "model": "gpt-5"},
    "messages": {"type": "anthropic-compatible", "base": "/v1", "model": "claude-opus-4-8"},
    "gemini": {"type": "gemini-compatible", "base": "/v1beta", "model": "gemini-3-pro"},
}

# What else a provider of each dialect does, once for each dialect of clients: `late-messages-chat` fails only for
# those who speak `messages` to a `chat` provider.
TROUBLES = {
    "dry": "sim-429-retry-20",
    "refused": "sim-400",
    "down": "sim-500",
    "late": "sim-sse-error-3",
    "cut": "sim-cut-3",
    "stall": "sim-stall-3",
}


DOCUMENTED = ["gpt-5.3-codex", "gpt-5.1-codex-mini", "devstral-small-latest", "llama-3.3-70b-versatile"]


def connections():
    """The connections of the dialects as {id, key, dialect, models}."""
    # What the documented calls of other routers and the examples of the management API name.
    rows = [{"id": "documented", "key": "sim-ok.documented", "dialect": "chat", "models": DOCUMENTED}]
    for dialect, row in DIALECTS.items():
        rows.append({"id": f"on-{dialect}", "key": f"sim-ok.on-{dialect}", "dialect": dialect, "models": [row["model"]]})
        for trouble, behaviour in TROUBLES.items():
            for client in DIALECTS:
                name = f"{trouble}-{client}-{dialect}"
                row_of = {"id": name, "key": f"{behaviour}.{name}", "dialect": dialect, "models": [row["model"]]}
                rows.append(row_of)
    # A conversation that begins at one provider and goes on at another, since the first runs dry.
    for client in DIALECTS:
        for first in DIALECTS:
            for second in DIALECTS:
                if first != second:
                    model = moving(client, first, second)
                    rows.append({"id": f"{model}-1", "key": f"sim-429-after-1.{model}", "dialect": first, "models": [model]})
                    rows.append({"id": f"{model}-2", "key": f"sim-ok.{model}-2", "dialect": second, "models": [model]})
    return rows


def moving(client, first, second):
    """The model that moves from the first dialect to the second after one answer."""
    return f"gemini-3-{client}-{first}-{second}"


def models():
    """All models that are on offer."""
    names = [name for name in SCENARIOS if name != "unknown"]
    names += [model for row in connections() for model in row["models"]]
    return list(dict.fromkeys(names))

"""Which tools are called with what: the example of every operation, on a hub that has what the examples name."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCHEMAS = HERE.parent.parent / "schemas" / "operations"

# What an example wants that a hub in front of a simulator cannot have, and is told so.
REFUSED = {
    "forget_affinity": "nobody asked in a session",
    "sync_pricing": "the lists are on the network",
    "web_search": "no model of the simulator can search",
}

# These go first, since others need what they make, and these last, since others need what they take away.
FIRST = ("put_", "create_", "start_", "finish_", "hide_")
LAST = ("undo_", "logout", "delete_", "revoke_")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())


class Hub:
    """The management API of a hub."""

    def __init__(self, address, key):
        self.address, self.key = address, key

    def ask(self, method, path, body=None):
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        try:
            with OPENER.open(request, timeout=20) as answer:
                return json.load(answer), answer.headers
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from None


def operations(document):
    """The operations by their names, each with its path and method."""
    return {
        operation["operationId"]: (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if (SCHEMAS / f"{operation['operationId']}.arguments.json").exists()
    }


def example(operation):
    """The arguments of an operation's example, and which of them are in the path."""
    given = {one["name"]: one["example"] for one in operation.get("parameters", []) if "example" in one}
    schema = json.loads((SCHEMAS / f"{operation['operationId']}.arguments.json").read_text())
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if isinstance(body, dict):
        whole = set(schema.get("required", [])) - set(given)
        # Where the body is one argument as a whole, that is the only one which is needed and in no other place.
        if not set(body) <= set(schema.get("properties", {})) and len(whole) == 1:
            body = {whole.pop(): body}
        given |= body
    return given


def seed(hub, simulator, document):
    """Makes what the examples name, and finds out what they cannot know. Arguments by the tools' names."""
    known = operations(document)
    account = {
        "type": "openai-compatible", "base_url": f"{simulator}/v1", "models": ["plain"],
        "oauth": {
            "client_id": "app", "redirect_url": "http://localhost:1455/auth/callback",
            "authorization_url": f"{simulator}/oauth/authorize", "token_url": f"{simulator}/oauth/token",
        },
    }
    hub.ask("PUT", "/api/connections/work-account", account)
    # Before the example's budget is there, which takes no requests without a price.
    _, headers = hub.ask("POST", "/v1/chat/completions", {"model": "plain", "messages": [{"role": "user", "content": "hello"}]})
    request = {"request_id": headers["x-request-id"]}
    keys = {name: {"name": name, "scopes": ["execute:completions"]} for name in ("kept", "ended")}
    for key in keys.values():
        hub.ask("POST", "/api/keys", key)
    login, _ = hub.ask("POST", "/api/oauth/logins", {"connection": "work-account"})
    try:
        OPENER.open(login["url"], timeout=20)
        raise RuntimeError("the simulator's login did not send anybody back")
    except urllib.error.HTTPError as error:
        came_back = error.headers["location"]
    for name, (path, _, operation) in known.items():
        if name.startswith("put_"):
            put = example(operation)
            body = operation["requestBody"]["content"]["application/json"]["example"]
            hub.ask("PUT", path.replace("{id}", str(put["id"])), body)
    hub.ask("PUT", "/api/combos/passing", {"strategy": "priority", "steps": ["plain"]})
    change = hub.ask("GET", "/api/audit?limit=1&outcome=done")[0]["entries"][0]["id"]
    backup = {"backup": hub.ask("POST", "/api/backups", {})[0]["name"]}
    # The simulator lists more than this one serves.
    examined = {"type": "openai-compatible", "base_url": f"{simulator}/v1", "api_key": "sim-ok.examined", "models": ["plain"]}
    hub.ask("PUT", "/api/connections/examined", examined)
    hub.ask("POST", "/api/diagnosis", {"connection": "examined"})
    first, second, *_ = hub.ask("GET", "/api/suggestions?connection=examined&state=open")[0]["suggestions"]
    # A task that waits: its arguments are wrong, and it asks for others.
    message = {"messageId": "m", "role": "user", "kind": "message", "parts": [{"kind": "data", "data": {"limit": "many"}}]}
    params = {"message": message, "metadata": {"skillId": "list_models"}}
    sent, _ = hub.ask("POST", "/a2a", {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": params})
    task = {"id": sent["result"]["id"]}
    return {
        "get_task": task, "cancel_task": task,
        "discover_models": {"id": "examined"},
        "accept_suggestion": {"suggestion": first["id"]}, "dismiss_suggestion": {"suggestion": second["id"]},
        "explain_route": request, "get_trace": request,
        "get_key": {"key": "kept"}, "rotate_key": {"key": "kept"},
        "update_key": {"key": "kept", "policy": {"requests_per_minute": 60}}, "revoke_key": {"key": "ended"},
        "login_status": {"login": login["login"]}, "finish_login": {"redirect_url": came_back},
        "undo_change": {"change": change},
        "verify_backup": backup, "delete_backup": backup,
    }


def calls(hub, simulator):
    """What to call, in an order in which it can be called."""
    document, _ = hub.ask("GET", "/api/openapi.json")
    found = seed(hub, simulator, document)
    known = operations(document)
    unknown = (set(found) | set(REFUSED)) - set(known)
    if unknown:
        raise RuntimeError(f"there are no such operations: {sorted(unknown)}")

    def place(name):
        return 0 if name.startswith(FIRST) else 2 if name.startswith(LAST) else 1

    return [
        {"tool": name, "arguments": found.get(name) or example(known[name][2]), "refused": name in REFUSED}
        for name in sorted(known, key=lambda name: (place(name), name))
    ]


if __name__ == "__main__":
    json.dump(calls(Hub(sys.argv[1], sys.argv[2]), sys.argv[3]), sys.stdout, indent=1)

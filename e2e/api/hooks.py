"""What schemathesis runs around each call: that what an example names is there, and who answered 2xx.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS), in a process of its own. E2E_API has the hub's address, a key of every
right, the file to write results to, and the id of a request that was made.
"""

import json
import os
import urllib.error
import urllib.request
import uuid

import schemathesis

API = json.loads(os.environ["E2E_API"])
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(method, path, body=None):
    """A call of our own; its answer, or None if it was refused."""
    headers = {"authorization": f"Bearer {API['key']}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with OPENER.open(urllib.request.Request(API["hub"] + path, data, headers, method=method), timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        error.read()
        return None


DOCUMENT = ask("GET", "/api/openapi.json")


def raw(case):
    return DOCUMENT["paths"][case.operation.path][case.operation.method]


def example(operation, name):
    return next((one.get("example") for one in operation["parameters"] if one["name"] == name), None)


def make(path, operation):
    """Makes what `path` names, as the example of its PUT says."""
    put = DOCUMENT["paths"].get(path, {}).get("put")
    if put is not None:
        body = put["requestBody"]["content"]["application/json"]["example"]
        ask("PUT", path.replace("{id}", example(put, "id")), body)


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = raw(case)
    name, path = operation["operationId"], case.operation.path
    given = dict(case.path_parameters or {})
    if any(str(given[one]) != str(example(operation, one)) for one in given):
        return
    if name.endswith("_key"):
        # The example's key, fresh: a key is rotated once and revoked once.
        ask("DELETE", "/api/keys/laptop")
        if name != "create_key":
            ask("POST", "/api/keys", {"name": "laptop", "scopes": ["execute:completions"]})
    elif name == "undo_change":
        make("/api/combos/{id}", operation)
        case.path_parameters["change"] = ask("GET", "/api/audit?limit=1&outcome=done")["entries"][0]["id"]
    elif name == "login_status":
        case.path_parameters["login"] = ask("POST", "/api/oauth/logins", {"connection": "work-account"})["login"]
    elif name in ("explain_route", "get_trace"):
        case.path_parameters["request_id"] = API["request_id"]
    elif name in ("test_combo", "switch_combo", "set_routing_strategy", "get_combo_metrics"):
        # Their example names a combo that must be there.
        make("/api/combos/{id}", operation)
    elif name == "get_provider_metrics":
        make("/api/connections/{id}", operation)
    elif name in ("get_task", "cancel_task"):
        # One that waits for an answer, so that it can be cancelled: the arguments are wrong, and it asks for others.
        parts = [{"kind": "data", "data": {"limit": "many"}}]
        message = {"messageId": str(uuid.uuid4()), "role": "user", "kind": "message", "parts": parts}
        params = {"message": message, "metadata": {"skillId": "list_models"}}
        task = ask("POST", "/a2a", {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": params})["result"]
        case.path_parameters["id"] = task["id"]
    elif "{id}" in path:
        # What an earlier call made of it may be gone, or not go together with the rest any more.
        make(path, operation)


@schemathesis.hook
def after_call(context, case, response):
    with open(API["calls"], "a") as file:
        file.write(f"{raw(case)['operationId']} {response.status_code}\n")

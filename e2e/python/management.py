"""The management API by its own OpenAPI document: schemathesis asks every operation with examples, edges and random arguments,
with an administrator's key on a hub where what the examples name is there."""

import collections
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

from harness import CONTEXT, OPENER, run, test

HERE = pathlib.Path(__file__).resolve().parent
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "negative_data_rejection",
]
# Random arguments per operation. Enough for a bound and a wrong type each; the whole takes about a minute.
EXAMPLES = 20
# These need a person at a provider, a suggestion that waits, the name of a backup, a session that asked, a model that is hidden, a budget that no
# other call has deleted, and a model that can search; the hub's own tests have them.
ELSEWHERE = {
    "finish_login", "logout", "verify_backup", "delete_backup", "forget_affinity", "show_model", "reset_budget",
    "accept_suggestion", "dismiss_suggestion", "sync_pricing", "web_search",
}
ACCOUNT = {
    "type": "openai-compatible", "base_url": f"{CONTEXT['simulator']}/v1", "models": ["plain"],
    "oauth": {
        "client_id": "app",
        "authorization_url": f"{CONTEXT['simulator']}/oauth/authorize",
        "token_url": f"{CONTEXT['simulator']}/oauth/token",
    },
}


def call(method, path, body=None):
    headers = {"authorization": f"Bearer {CONTEXT['operator']}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(CONTEXT["origin"] + path, data, headers, method=method)
    return OPENER.open(request, timeout=10)


@test("hub")
def every_operation_answers_as_its_document_says():
    key = CONTEXT["operator"]
    document = json.load(call("GET", "/api/openapi.json"))
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    call("PUT", "/api/connections/work-account", ACCOUNT)
    chat = {"model": "plain", "messages": [{"role": "user", "content": "hello"}]}
    answer = call("POST", "/v1/chat/completions", chat)
    folder = pathlib.Path(CONTEXT["result"]).parent
    calls = folder / "calls.txt"
    context = {"hub": CONTEXT["origin"], "key": key, "calls": str(calls), "request_id": answer.headers["x-request-id"]}
    env = {**os.environ, "E2E_API": json.dumps(context), "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE.parent / "api")}
    command = [
        CONTEXT["schemathesis"], "run", CONTEXT["origin"] + "/api/openapi.json",
        "--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing",
        "--seed", "1", "--max-examples", str(EXAMPLES), "--continue-on-failure", "--request-timeout", "10", "--no-color",
    ]
    done = subprocess.run(command, env=env, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)
    print(done.stdout, file=sys.stderr)
    statuses = collections.defaultdict(collections.Counter)
    for line in calls.read_text().splitlines():
        name, status = line.rsplit(" ", 1)
        statuses[name][int(status)] += 1
    without = {name: dict(statuses[name]) for name in set(names) - ELSEWHERE if not any(200 <= status < 300 for status in statuses[name])}
    assert not without, f"never answered 2xx: {without}"
    broken = {name: dict(seen) for name, seen in statuses.items() if any(status >= 500 for status in seen)}
    assert not broken, f"answered 5xx: {broken}"
    assert done.returncode == 0, f"schemathesis ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"


if __name__ == "__main__":
    sys.exit(run())

"""The calls that FreeRouter's and MultiVibe's documentation shows, typed into curl as they stand there, with the hub's address in
place of theirs; what comes back is checked field by field."""

import json
import shlex
import subprocess
import sys
import time

from harness import CONTEXT, equal, run, test

KEY = CONTEXT["operator"]
# MultiVibe's default ADMIN_TOKEN, with which the hub was started.
TOKEN = "x-admin-token: change-me"
AGGREGATE = {
    "requests", "ok", "errors", "successRate", "stream", "streamingRate", "latencyMsTotal", "avgLatencyMs",
    "requestsWithUsage", "tokens", "statusCounts", "firstAt", "lastAt",
}
ROUTE = {"route_id", "provider_name", "model_id", "display_name", "rank", "enabled", "context_window", "tags", "health"}
HEALTH = {
    "route_id", "provider_name", "model_id", "status", "status_reason", "consecutive_failures", "rate_limited_until",
    "next_probe_at", "updated_at",
}


def curl(line, key=True, status=200):
    """Types the line; the answer's JSON. The hub wants a key where the others wanted none."""
    words = shlex.split(line.replace("\\\n", " "))
    words = [word.replace("http://localhost:4010", CONTEXT["origin"]).replace("http://localhost:8000", CONTEXT["origin"]) for word in words]
    more = ["-sS", "--noproxy", "*", "--max-time", "20", "-w", "\n%{http_code}"]
    if key:
        more += ["-H", f"authorization: Bearer {KEY}"]
    done = subprocess.run([words[0], *more, *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    equal(done.returncode, 0, f"curl's exit code ({done.stderr})")
    body, code = done.stdout.rsplit("\n", 1)
    equal(int(code), status, f"status of {line}: {body}")
    return json.loads(body)


def holds(value, names, what):
    assert names <= set(value), f"{what} lacks {names - set(value)}: {value}"


@test("hub")
def multivibe_lists_models():
    found = {model["id"]: model for model in curl("curl http://localhost:4010/v1/models")["data"]}
    holds(found["gpt-5.3-codex"], {"id", "object", "created", "owned_by"}, "a model")
    equal(found["gpt-5.3-codex"]["object"], "model", "object")


@test("hub")
def multivibe_chats():
    answer = curl(
        """curl -X POST http://localhost:4010/v1/chat/completions \\
        -H "content-type: application/json" \\
        -d '{"model": "gpt-5.3-codex", "messages": [{"role":"user","content":"hello"}]}'"""
    )
    assert answer["choices"][0]["message"]["content"], answer


@test("hub")
def multivibe_makes_changes_and_deletes_an_alias():
    sent = {
        "id": "small", "targets": ["gpt-5.1-codex-mini", "devstral-small-latest"], "enabled": True,
        "description": "Small coding model pool",
    }
    made = curl(
        f"""curl -X POST http://localhost:4010/admin/model-aliases \\
        -H "{TOKEN}" \\
        -H "content-type: application/json" \\
        -d '{json.dumps(sent)}'""",
        key=False,
    )
    equal(made, {"ok": True, "modelAlias": sent}, "the alias that was made")
    listed = curl(f'curl -H "{TOKEN}" http://localhost:4010/admin/model-aliases', key=False)
    equal(listed, {"modelAliases": [sent]}, "the list")
    one = "http://localhost:4010/admin/model-aliases/small"
    changed = curl(f"""curl -X PATCH {one} -H "{TOKEN}" -d '{{"enabled": false}}'""", key=False)
    equal(changed, {"ok": True, "modelAlias": {**sent, "enabled": False}}, "the alias that was changed")
    equal(curl(f'curl -X DELETE {one} -H "{TOKEN}"', key=False), {"ok": True}, "the answer to a deletion")
    gone = curl(f'curl -X DELETE {one} -H "{TOKEN}"', key=False, status=404)
    assert isinstance(gone["error"], str), gone
    wrong = curl('curl -H "x-admin-token: wrong" http://localhost:4010/admin/model-aliases', key=False, status=401)
    assert isinstance(wrong["error"], str), wrong
    wrong = curl(f"""curl -X POST http://localhost:4010/admin/model-aliases -H "{TOKEN}" -d '{{"id": "x"}}'""", key=False, status=400)
    assert isinstance(wrong["error"], str), wrong


@test("hub")
def multivibe_shows_traces():
    multivibe_chats()
    # Receipts are written a moment after the answer.
    time.sleep(0.5)
    page = curl(f'curl -H "{TOKEN}" "http://localhost:4010/admin/traces?page=1&pageSize=100"', key=False)
    equal(set(page), {"traces", "pagination", "stats"}, "fields")
    equal(set(page["pagination"]), {"page", "pageSize", "total", "totalPages", "hasPrev", "hasNext"}, "pagination")
    trace = page["traces"][0]
    holds(trace, {"id", "at", "route", "accountId", "model", "status", "isError", "stream", "latencyMs", "tokensTotal"}, "a trace")
    equal((trace["accountId"], trace["route"], trace["status"]), ("documented", "/v1/chat/completions", 200), "the trace")
    equal(set(page["stats"]), {"totals", "models", "timeseries"}, "stats")
    legacy = curl(f'curl -H "{TOKEN}" "http://localhost:4010/admin/traces?limit=50"', key=False)
    equal((set(legacy), legacy["traces"][-1]), ({"traces"}, trace), "the older form")


@test("hub")
def multivibe_sums_up():
    # The documented span lies in 2025, before every request of this test.
    past = curl(
        f"""curl -H "{TOKEN}" \\
        "http://localhost:4010/admin/stats/usage?sinceMs=1735689600000&untilMs=1738291200000" """,
        key=False,
    )
    equal((past["ok"], past["totals"]["requests"], past["byAccount"]), (True, 0, []), "an empty span")
    since = int((time.time() - 3600) * 1000)
    query = f"sinceMs={since}&untilMs={since + 7_200_000}&accountId=documented&route=/v1/chat/completions"
    usage = curl(f'curl -H "{TOKEN}" "http://localhost:4010/admin/stats/usage?{query}"', key=False)
    holds(usage, {"ok", "filters", "totals", "byAccount", "byRoute", "tracesEvaluated", "tracesMatched"}, "the answer")
    equal(set(usage["totals"]), AGGREGATE, "a sum")
    assert usage["totals"]["requests"] >= 1 and usage["totals"]["tokens"]["total"] > 0, usage
    holds(usage["byAccount"][0], AGGREGATE | {"accountId", "account"}, "an account's sum")
    equal(usage["byAccount"][0]["accountId"], "documented", "the account")
    traces = curl(
        f"""curl -H "{TOKEN}" \\
        "http://localhost:4010/admin/stats/traces?sinceMs=1735689600000&untilMs=1738291200000" """,
        key=False,
    )
    equal((traces["ok"], traces["matched"], traces["stats"]["timeseries"]), (True, 0, []), "an empty span")
    assert traces["totalStored"] >= 1, traces


@test("hub")
def freerouter_chats_by_auto():
    body = {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Summarize today's company status."},
        ],
        "temperature": 0.7,
        "max_tokens": 800,
    }
    text = json.dumps(body).replace("'", "\\u0027")
    answer = curl(f"curl http://localhost:8000/v1/chat/completions -H 'content-type: application/json' -d '{text}'")
    assert answer["choices"], answer


@test("hub")
def freerouter_shows_and_edits_the_catalogue():
    curl("curl -X PUT http://localhost:8000/api/connections/mine -d '" + json.dumps({
        "type": "openai-compatible", "base_url": f"{CONTEXT['simulator']}/v1", "api_key": "sim-ok.mine",
        "models": ["plain", "gpt-5.3-codex"],
    }) + "'")
    url = "http://localhost:8000/v1/gateway/models"
    shown = curl(f"curl {url}")
    equal(shown["object"], "list", "object")
    for route in shown["data"]:
        holds(route, ROUTE, "a route")
        equal(set(route["health"]), HEALTH, "health")
    ranks = [route["rank"] for route in shown["data"]]
    equal(ranks, sorted(ranks), "the order")
    mine = [route for route in shown["data"] if route["route_id"].startswith("mine/")]
    mine[1]["rank"] = 1
    edited = curl(f"curl -X PUT {url} -d '" + json.dumps({"data": mine}) + "'")
    equal((edited["data"][0]["route_id"], edited["data"][0]["rank"]), (mine[1]["route_id"], 1), "the first route")
    off = curl(f"curl -X POST {url}/mine%2Fplain/disable")["data"]
    equal((off["route_id"], off["enabled"]), ("mine/plain", False), "the route that was disabled")
    on = curl(f"curl -X POST {url}/mine%2Fplain/enable")["data"]
    equal((on["route_id"], on["enabled"], set(on["health"])), ("mine/plain", True, HEALTH), "the route that was enabled")
    ranked = curl(f"curl -X POST {url}/auto-rank")
    assert all(route["rank"] < 100_000 for route in ranked["data"] if route["route_id"].startswith("mine/")), ranked
    reset = curl(f"curl -X POST {url}/reset")
    assert all(route["rank"] >= 100_000 for route in reset["data"] if route["route_id"].startswith("mine/")), reset
    unknown = curl(f"curl -X POST {url}/nobody/disable", status=404)
    assert isinstance(unknown["detail"], str), unknown


SUGGESTION = {"suggestion_id", "action", "provider_name", "model_id", "route_id", "title", "details", "route"}


@test("hub")
def freerouter_diagnoses_and_applies():
    curl("curl -X PUT http://localhost:8000/api/connections/diagnosed -d '" + json.dumps({
        "type": "openai-compatible", "base_url": f"{CONTEXT['simulator']}/v1", "api_key": "sim-ok.diagnosed",
        "models": ["plain", "retired-long-ago"],
    }) + "'")
    url = "http://localhost:8000/v1/gateway/endpoint-diagnosis"
    report = curl(f"curl -X POST {url}/refresh")["data"]
    equal(set(report), {"checked_at", "providers", "suggestions"}, "a report")
    for provider in report["providers"]:
        equal(
            set(provider),
            {
                "provider_name", "configured", "ok", "discovered_model_count", "new_route_suggestion_count",
                "confirmed_route_count", "stale_route_suggestion_count", "recovered_route_suggestion_count", "error",
            },
            "a provider",
        )
    found = {one["route_id"]: one for one in report["suggestions"]}
    for one in report["suggestions"]:
        equal(set(one), SUGGESTION, "a suggestion")
    gone = found["diagnosed/retired-long-ago"]
    equal(gone["action"], "remove_route", "what is to be done with a model that is gone")
    applied = curl(f"curl -X POST {url}/apply -d '" + json.dumps({"suggestion_ids": [gone["suggestion_id"]]}) + "'")
    equal([one["suggestion_id"] for one in applied["data"]], [gone["suggestion_id"]], "what was applied")
    routes = {route["route_id"]: route for route in curl("curl http://localhost:8000/v1/gateway/models")["data"]}
    equal(routes["diagnosed/retired-long-ago"]["enabled"], False, "a model that is gone")
    status = curl(f"curl {url}")
    equal(set(status), {"enabled", "auto_maintenance_enabled", "last_auto_applied", "last_report"}, "the status")
    equal(status["last_report"]["checked_at"], report["checked_at"], "the last report")
    wrong = curl(f"curl -X POST {url}/apply -d '{{}}'", status=400)
    assert isinstance(wrong["detail"], str), wrong


@test("hub")
def freerouter_shows_providers():
    status = curl("curl http://localhost:8000/v1/providers/status")
    equal(status["object"], "list", "object")
    for provider in status["data"]:
        holds(
            provider,
            {
                "name", "configured", "available", "unavailable_reason", "retry_after_seconds", "tokens_used_today",
                "requests_today", "requests_this_minute", "cooldown_until", "max_context_tokens", "models",
            },
            "a provider",
        )
        for route in provider["models"]:
            holds(route, ROUTE | {"usage"}, "a provider's route")


if __name__ == "__main__":
    sys.exit(run())

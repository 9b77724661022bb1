"""What the hub tells other programs: its metrics, judged by Prometheus's own promtool, and its spans, decoded by the types that
OpenTelemetry publishes. A hub of its own, in front of a simulator, with a collector that this program plays."""

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from stage import Stage, Trouble

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SECRET = "collector-secret"
WAIT_SECONDS = 15


class Collector(BaseHTTPRequestHandler):
    """Takes spans; refuses the first message, as one that is overloaded would."""

    messages = []
    refused = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if Collector.refused == 0:
            Collector.refused += 1
            self.send_response(503)
        else:
            Collector.messages.append((self.path, dict(self.headers), body))
            self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Observed(Stage):
    """A stage whose hub exports spans."""

    collector = None

    def configuration(self, simulator):
        telemetry = f"telemetry: {{endpoint: '{self.collector}', headers: 'x-collector-key={SECRET}'}}\n"
        return telemetry + super().configuration(simulator)


def ask(url, key=None, body=None, headers=()):
    """The status and the text of an answer."""
    request = urllib.request.Request(url, data=body and json.dumps(body).encode(), headers=dict(headers))
    if key:
        request.add_header("authorization", f"Bearer {key}")
    if body:
        request.add_header("content-type", "application/json")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def equal(what, found, expected):
    if found != expected:
        raise Trouble(f"{what}: expected {expected!r}, found {found!r}")


def spans():
    """The spans that came so far, by the ids of their requests' traces."""
    found = []
    for path, headers, body in Collector.messages:
        equal("the path", path, "/v1/traces")
        equal("the type", headers["content-type"], "application/x-protobuf")
        equal("the header of the settings", headers.get("x-collector-key"), SECRET)
        message = ExportTraceServiceRequest.FromString(body)
        for resource in message.resource_spans:
            equal("the service", values(resource.resource)["service.name"], "trivium")
            for scope in resource.scope_spans:
                equal("the scope", scope.scope.name, "trivium")
                found.extend(scope.spans)
    return found


def values(holder):
    """Attributes as a dictionary."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in holder.attributes}


def wait_for_spans(count):
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = spans()
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise Trouble(f"expected {count} spans, {len(found)} came within {WAIT_SECONDS} s")


def check_metrics(hub, key):
    equal("metrics without a key", ask(f"{hub}/metrics")[0], 401)
    status, text, headers = ask(f"{hub}/metrics", key)
    equal("the metrics", (status, headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    equal("what promtool says", (done.returncode, done.stdout + done.stderr), (0, ""))
    samples = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}
    labels = 'surface="openai",dialect="chat",outcome="completed",status="2xx"'
    equal("completed requests", samples[f"trivium_requests_total{{{labels}}}"], 2.0)
    failed = 'connection="failover-500-1",provider="openai-compatible",result="unavailable"'
    equal("failed attempts", samples[f"trivium_attempts_total{{{failed}}}"], 1.0)
    equal("requests under way", samples["trivium_requests_in_flight"], 0.0)


def check_spans(simulator, request_id):
    found = wait_for_spans(5)
    equal("the number of spans", len(found), 5)
    of_trace = [span for span in found if span.trace_id.hex() == TRACE]
    by_kind = lambda kind: sorted((s for s in of_trace if s.kind == kind), key=lambda s: s.start_time_unix_nano)
    [request], attempts = by_kind(Span.SPAN_KIND_SERVER), by_kind(Span.SPAN_KIND_CLIENT)
    equal("the parent", request.parent_span_id.hex(), PARENT)
    equal("the attempts' parents", {span.parent_span_id for span in attempts}, {request.span_id})
    equal("different ids", len({span.span_id for span in found}), 5)
    equal("the names", [span.name for span in [request, *attempts]], ["chat failover-500"] * 3)
    told = values(request)
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "failover-500",
        "gen_ai.response.model": "failover-500",
        "gen_ai.provider.name": "openai-compatible",
        "gen_ai.request.stream": False,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "trivium.request.id": request_id,
        "trivium.connection": "failover-500-2",
        "trivium.outcome": "completed",
        "trivium.attempts": 2,
    }
    equal("the request", {name: told.get(name) for name in expected}, expected)
    for name in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
        if told.get(name, 0) <= 0:
            raise Trouble(f"{name} is missing in {told}")
    host, port = simulator.removeprefix("http://").split(":")
    bad, good = (values(span) for span in attempts)
    for attempt, connection in ((bad, "failover-500-1"), (good, "failover-500-2")):
        where = [attempt.get(name) for name in ("server.address", "server.port", "trivium.connection")]
        equal("the server", where, [host, int(port), connection])
    equal("what failed", (bad["error.type"], bad["http.response.status_code"]), ("unavailable", 500))
    equal("its status", (attempts[0].status.code, attempts[1].status.code, request.status.code), (2, 0, 0))
    equal("tokens of the good one", good["gen_ai.usage.output_tokens"], told["gen_ai.usage.output_tokens"])
    for span in found:
        if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
            raise Trouble(f"the times of {span.name} are {span.start_time_unix_nano}, {span.end_time_unix_nano}")
    if b"please tell nobody" in b"".join(body for _, _, body in Collector.messages):
        raise Trouble("a prompt is in the spans")


def main(trivium):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stage = Observed(trivium)
    stage.collector = f"http://127.0.0.1:{server.server_port}"
    failed = None
    try:
        simulator, hub = stage.start()
        key = stage.create_key("ops", "--all-scopes")
        body = {"messages": [{"role": "user", "content": "please tell nobody"}]}
        chat = f"{hub}/v1/chat/completions"
        equal("the plain request", ask(chat, key, body | {"model": "plain"})[0], 200)
        traced = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        status, _, headers = ask(chat, key, body | {"model": "failover-500"}, traced)
        equal("the request with a failover", status, 200)
        check_metrics(hub, key)
        check_spans(simulator, headers["x-request-id"])
        trace = json.loads(ask(f"{hub}/api/traces/{headers['x-request-id']}", key)[1])
        equal("the trace of the receipt", trace["trace_id"], TRACE)
        usage = json.loads(ask(f"{hub}/api/usage?group_by=connection", key)[1])
        equal("the usage", usage["total"]["requests"], 2)
    except (Trouble, OSError, KeyError, ValueError, subprocess.SubprocessError) as trouble:
        failed = f"{type(trouble).__name__}: {trouble}\n-- the last lines of the hub's log\n{stage.hub and stage.hub.tail()}"
    finally:
        problems = stage.stop()
        stage.remove()
        server.shutdown()
    for problem in [failed, *problems]:
        if problem:
            print(f"FAIL observe: {problem}", file=sys.stderr)
    print("observe: metrics and spans", "FAILED" if failed or problems else "ok")
    return 1 if failed or problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

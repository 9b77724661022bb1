"""The hub as an A2A agent, by others' clients: the SDKs for Python and JavaScript in both versions of the protocol, other
libraries for what it signs, and curl for the lines that OmniRoute's users know."""

import argparse
import base64
import copy
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rfc8785
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import KeySet

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from stage import OPERATOR_KEY, Process, Stage, Trouble

CLIENT_SECONDS = 240
# What the hub itself does not send is given up at once.
LETTER_SECONDS = 20

# The answers are told piece by piece: these words come back in ten.
WORDS = "one two three four five six seven eight nine ten, and \N{SNOWMAN} äöü beyond"

# The accounts: their models, and how the simulator serves them.
ACCOUNTS = [
    ("quick", "openai", "sim-ok.quick", "quick"),
    ("pieces", "openai", "sim-chunks-10+pace-60.pieces", "pieces"),
    ("slow", "openai", "sim-chunks-10+pace-400.slow", "slow"),
    ("hanging", "openai", "sim-hang.hanging", "hanging"),
    # One name for two models: the hub has to ask back.
    ("openai-1", "openai", "sim-ok.one", "gpt-4o"),
    ("router", "openrouter", "sim-ok.two", "openai/gpt-4o"),
]

# The clients: by which program, and how they speak.
CLIENTS = [
    ("newer", "JSONRPC"),
    ("newer", "HTTP+JSON"),
    ("newer", "0.3"),
    ("older", "0.3"),
    ("node", "JSONRPC"),
    ("node", "HTTP+JSON"),
    ("node", "0.3"),
]

SCOPES = [word for scope in ("execute:completions", "read:quota", "read:models") for word in ("--scope", scope)]


class Agent(Stage):
    """A hub with models for what is tested, that may tell webhooks on this machine."""

    settings = "push_allow_private: on"

    def start(self):
        models = [f"--models={model}" for _, _, _, model in ACCOUNTS]
        command = [self.trivium, "mock", "--port", "0", *models]
        self.mock = Process("the simulator", command, self.folder / "mock.log", self.clean)
        simulator = self.mock.wait_for("says its address", self.mock_address)
        self.config.write_text(self.configuration(simulator))
        self.hub = Process("the hub", [self.trivium, "serve", "--port", "0"], self.folder / "hub.log", self.env)
        return simulator, self.hub.wait_for("is ready", self.hub_address)

    def configuration(self, simulator):
        lines = [f"a2a: {{{self.settings}}}", "diagnosis: {enabled: off}", "auto: {strategy: listed}", "providers:"]
        for name, kind, key, model in ACCOUNTS:
            lines.append(f"  - {{id: {name}, type: {kind}, base_url: '{simulator}/v1', api_key: {key}, models: [{model}]}}")
        return "\n".join(lines) + "\n"


class Careful(Agent):
    """One that keeps away from private addresses, as it does where nobody says anything."""

    settings = "enabled: on"


class Hooks:
    """A webhook for each path: keeps what it is told, and shows it to who asks."""

    def __init__(self):
        self.told, self.lock = {}, threading.Lock()
        hooks = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                name = self.path.strip("/")
                with hooks.lock:
                    told = hooks.told.setdefault(name, [])
                    told.append({"headers": headers, "body": body})
                    is_first = len(told) == 1
                self.send_response(503 if name.startswith("flaky") and is_first else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self):
                with hooks.lock:
                    answer = json.dumps(hooks.told.get(self.path.strip("/"), [])).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Result:
    """How one part went: a line for each check, and what else is wrong."""

    def __init__(self, name):
        self.name, self.lines, self.problems, self.seconds = name, [], [], 0.0

    def check(self, name, work):
        try:
            work()
        except (Trouble, AssertionError, JoseError, OSError, ValueError, LookupError) as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())
            self.lines.append(f"FAILED {name}: {words[:1500]}")
        else:
            self.lines.append(f"ok     {name}")

    def failed(self):
        return [line for line in self.lines if not line.startswith("ok ")]

    def is_bad(self):
        return bool(self.failed() or self.problems or not self.lines)


def part(name, stage_class, binary, work):
    """Runs `work` on a stage of its own."""
    result, began = Result(name), time.monotonic()
    stage = stage_class(binary)
    try:
        simulator, hub = stage.start()
        work(stage, simulator, hub, result)
    except (Trouble, OSError, RuntimeError, subprocess.SubprocessError) as trouble:
        result.problems.append(str(trouble))
    finally:
        result.problems += stage.stop()
        if result.is_bad() and stage.hub is not None:
            result.problems.append(f"-- the last lines of the hub's log\n{stage.hub.tail()}")
        stage.remove()
    result.seconds = time.monotonic() - began
    return result


def equal(got, expected, what="it"):
    if got != expected:
        raise AssertionError(f"{what} is {got!r} and should be {expected!r}")


def refused(work):
    try:
        work()
    except JoseError:
        return
    raise AssertionError("it was believed")


def get(url, key=None):
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"} if key else {})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        return json.load(response)


def ask(hub, key, method, params):
    """A call of 1.0 by hand."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "a2a-version": "1.0"}
    request = urllib.request.Request(f"{hub}/a2a", body, headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
        return json.load(response)["result"]


def keys_of(hub):
    return KeySet.import_key_set(get(f"{hub}/.well-known/jwks.json"))


def flipped(text):
    """A text with another first letter."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def believed(hub, keys, url, delivery):
    """Who told a webhook, by another library; and that it told exactly this."""
    token, body = delivery["headers"]["x-a2a-notification-signature"], delivery["body"]
    told = jwt.decode(token, keys, algorithms=["ES256"])
    rules = {name: {"essential": True} for name in ("iss", "aud", "iat", "exp", "jti", "taskId", "request_body_sha256")}
    rules["iss"]["value"], rules["aud"]["value"] = hub, url
    jwt.JWTClaimsRegistry(**rules).validate(told.claims)
    equal(told.claims["request_body_sha256"], hashlib.sha256(body.encode()).hexdigest(), "the body's hash")
    equal(told.claims["jti"], delivery["headers"]["webhook-id"], "the message's id")
    if not told.claims["jti"].startswith(f"{told.claims['taskId']}."):
        raise AssertionError(f"the message's id is of the task: {told.claims}")
    if not 0 < told.claims["exp"] - told.claims["iat"] <= 600:
        raise AssertionError(f"the token holds for minutes: {told.claims}")
    head, claims, signature = token.split(".")
    refused(lambda: jwt.decode(f"{head}.{claims}.{flipped(signature)}", keys, algorithms=["ES256"]))
    if delivery["headers"].get("authorization", "").removeprefix("Bearer ") not in (token, "my-secret"):
        raise AssertionError(f"the credentials are the client's, or else the token: {delivery['headers']}")


def client(chosen, program, mode):
    """All that a client can, and what the webhooks were told by it."""

    def work(stage, simulator, hub, result):
        with Hooks() as hooks:
            context = {
                "url": hub, "simulator": simulator, "hooks": hooks.url, "words": WORDS, "operator": OPERATOR_KEY,
                "key": stage.create_key("one", *SCOPES), "other": stage.create_key("other", *SCOPES),
            }
            programs = {
                "newer": [chosen.newer, "-B", HERE / "newer.py"],
                "older": [chosen.older, "-B", HERE / "older.py"],
                "node": [chosen.node, chosen.modules / "client.mjs"],
            }
            done = subprocess.run(
                [str(one) for one in [*programs[program], mode]], env=stage.clean | {"E2E_A2A": json.dumps(context)},
                cwd=stage.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CLIENT_SECONDS,
            )
            result.lines += [line for line in done.stdout.splitlines() if line.startswith(("ok ", "FAILED "))]
            if done.returncode != (1 if result.failed() else 0):
                result.problems.append(f"it ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")

            def judged():
                keys, count = keys_of(hub), 0
                for name, deliveries in hooks.told.items():
                    for delivery in deliveries:
                        believed(hub, keys, f"{hooks.url}/{name}", delivery)
                        count += 1
                    # One by one, and in the order in which it happened.
                    numbers = [int(one["headers"]["webhook-id"].rsplit(".", 1)[1]) for one in deliveries]
                    equal(numbers, sorted(numbers), "the order")
                if count < 3:
                    raise AssertionError(f"webhooks were told only {count} times")
                gone = [name for name in hooks.told if name.startswith(("unmade", "other"))]
                equal(gone, [], "what unmade webhooks were told")

            result.check("what webhooks were told is signed, in order, and whole", judged)

    return part(f"{program} {mode}", Agent, chosen.trivium, work)


def without_empty(value):
    """A value without what is empty in it, nothing where that is all of it."""
    if isinstance(value, dict):
        value = {name: kept for name, one in value.items() if (kept := without_empty(one)) is not None}
    elif isinstance(value, list):
        value = [kept for one in value if (kept := without_empty(one)) is not None]
    return None if value in ("", [], {}) else value


# What of a card is signed: all that is in it, as 8.4.1 says; and what the SDKs take for that.
FORMS = {"whole": lambda card: card, "without what is empty": without_empty}


def signed(chosen):
    """The card's signature, by a library that knows nothing of A2A."""

    def verify(card, keys, form):
        """The header of the first signature that holds."""
        payload = FORMS[form]({name: value for name, value in card.items() if name != "signatures"})
        payload = base64.urlsafe_b64encode(rfc8785.dumps(payload)).rstrip(b"=").decode()
        wrong = BadSignatureError("there is no signature")
        for one in card["signatures"]:
            try:
                found = jws.deserialize_compact(f"{one['protected']}.{payload}.{one['signature']}", keys, algorithms=["ES256"])
                return found.headers()
            except BadSignatureError as error:
                wrong = error
        raise wrong

    def work(_, __, hub, result):
        pure, keys = get(f"{hub}/a2a/v1/.well-known/agent-card.json"), keys_of(hub)
        extended = ask(hub, OPERATOR_KEY, "GetExtendedAgentCard", {})

        def good(card, form):
            headers = verify(card, keys, form)
            equal((headers["typ"], headers["jku"]), ("JOSE", f"{hub}/.well-known/jwks.json"))
            equal(set(card) & {"url", "preferredTransport", "protocolVersion", "security"}, set(), "what is of 0.3 in the card")

        for form in FORMS:
            result.check(f"another library believes the card, {form}", lambda form=form: good(pure, form))
            result.check(f"and the card for those with a key, {form}", lambda form=form: good(extended, form))

        def changed(change):
            card = copy.deepcopy(pure)
            change(card)
            for form in FORMS:
                refused(lambda form=form: verify(card, keys, form))

        def resigned(card):
            for one in card["signatures"]:
                one["signature"] = flipped(one["signature"])

        result.check("not with a letter more", lambda: changed(lambda card: card.update(name=card["name"] + "!")))
        result.check("not without a skill", lambda: changed(lambda card: card["skills"].pop()))
        result.check("not by another signature", lambda: changed(resigned))

        def hybrid():
            card = get(f"{hub}/.well-known/agent-card.json")
            equal((card["url"], card["preferredTransport"], card["protocolVersion"]), (f"{hub}/a2a", "JSONRPC", "0.3.0"))
            equal(card["skills"], pure["skills"], "what it can do")

        result.check("the card for both versions says the same", hybrid)

    return part("signed card", Agent, chosen.trivium, work)


# What OmniRoute's users know by heart, in its quick start and where it sets A2A up: the card at the old place, and a message
# whose parameters are of its own form. Method, path, and body.
KNOWN = [
    ("the card at the old place", "GET", "/.well-known/agent.json", None),
    *(
        (f"a message by its form, {name}", "POST", "/a2a", {
            "jsonrpc": "2.0",
            "id": name,
            "method": "message/send",
            "params": {"skill": "quota-management", "messages": [{"role": "user", "content": text}]},
        })
        for name, text in (("quickstart", "Give me a short quota summary."), ("setup-a2a", "Summarize quota status."))
    ),
]


def spoken(hub, key, method, path, body=None):
    """A line as it is printed, by curl where there is one; the status, and what is answered."""
    if curl := shutil.which("curl"):
        words = [] if body is None else ["-H", "content-type: application/json", "-d", json.dumps(body)]
        words += ["-X", method] if method != "GET" else []
        command = [curl, "-sS", "--max-time", "30", f"{hub}{path}", *words, "-H", f"authorization: Bearer {key}"]
        done = subprocess.run(
            [*command, "-w", "\n%{http_code}"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=40
        )
        if done.returncode != 0:
            raise Trouble(f"curl ended with {done.returncode}: {done.stderr}")
        text, status = done.stdout.rsplit("\n", 1)
        return int(status), json.loads(text)
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{hub}{path}", data, headers, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def known(chosen):
    """The lines that OmniRoute's users know, by curl: the port is another, and there is a key."""

    def work(stage, _, hub, result):
        key = stage.create_key("known", *SCOPES, "--scope", "read:tasks", "--scope", "write:tasks")
        tasks = []

        def line(method, path, body):
            status, answer = spoken(hub, key, method, path, body)
            equal(status, 200, "the status")
            if body is None:
                equal(answer["url"], f"{hub}/a2a")
                equal("quota-management" in [skill["id"] for skill in answer["skills"]], True, "the skill is there")
                return
            equal(answer["id"], body["id"])
            task = answer["result"]
            tasks.append(task["id"])
            equal((task["status"]["state"], task["metadata"]["skillId"]), ("completed", "quota-management"))
            parts = task["artifacts"][0]["parts"]
            if len("".join(one.get("text", "") for one in parts)) < 10:
                raise AssertionError(f"the quotas, in words: {parts}")
            equal(task["history"][0]["parts"][0]["text"], body["params"]["messages"][0]["content"])

        for name, *words in KNOWN:
            result.check(name, lambda words=words: line(*words))

        def managed():
            _, standing = spoken(hub, key, "GET", "/api/a2a/status")
            equal(standing["tasks"], {"completed": len(tasks)})
            _, listed = spoken(hub, key, "GET", "/api/a2a/tasks")
            equal([task["id"] for task in listed["tasks"]], tasks[::-1])
            status, task = spoken(hub, key, "GET", f"/api/a2a/tasks/{tasks[0]}")
            equal((status, task["state"], task["skill"]), (200, "completed", "quota-management"))
            equal(spoken(hub, key, "POST", f"/api/a2a/tasks/{tasks[0]}/cancel", {})[0], 409, "the status of one that is over")
            words = {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "hello"}], "metadata": {"model": "hanging"}}
            sent = ask(hub, key, "SendMessage", {"message": words, "configuration": {"returnImmediately": True}})["task"]
            status, ended = spoken(hub, key, "POST", f"/api/a2a/tasks/{sent['id']}/cancel", {})
            equal((status, ended["state"]), (200, "canceled"))
            equal(ask(hub, key, "GetTask", {"id": sent["id"]})["status"]["state"], "TASK_STATE_CANCELED")

        result.check("tasks are looked at and ended by its paths", managed)

    return part("lines of OmniRoute", Agent, chosen.trivium, work)


def careful(chosen):
    """A hub that nobody has allowed to does not tell webhooks on this machine, and says so."""

    def work(stage, _, hub, result):
        key = stage.create_key("one", *SCOPES, "--scope", "read:tasks")
        with Hooks() as hooks:

            def told():
                hook = {"id": "mine", "url": f"{hooks.url}/private", "token": "t"}
                words = {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "echo: hi"}]}
                params = {"message": words, "configuration": {"taskPushNotificationConfig": hook}, "metadata": {"model": "quick"}}
                task = ask(hub, key, "SendMessage", params)["task"]
                equal(task["status"]["state"], "TASK_STATE_COMPLETED")
                deadline = time.monotonic() + LETTER_SECONDS
                while not (letters := get(f"{hub}/api/a2a/push/dead_letters", key)["letters"]):
                    if time.monotonic() > deadline:
                        raise AssertionError(f"no dead letter within {LETTER_SECONDS} s")
                    time.sleep(0.5)
                equal((letters[-1]["task"], letters[-1]["webhook"], letters[-1]["host"]), (task["id"], "mine", "127.0.0.1"))
                equal(hooks.told, {}, "what the webhook was told")

            result.check("a webhook on this machine is not told, and the letter is dead", told)

    return part("private webhooks", Careful, chosen.trivium, work)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trivium", type=Path, required=True)
    parser.add_argument("--newer", required=True, help="a Python with the SDK of the line 1")
    parser.add_argument("--older", required=True, help="a Python with the SDK of 0.3")
    parser.add_argument("--node", required=True)
    parser.add_argument("--modules", type=Path, required=True, help="the folder of the Node packages")
    parser.add_argument("--only", default="", help="just the parts that have this in their name")
    chosen = parser.parse_args()
    parts = [(f"{program} {mode}", lambda it=(program, mode): client(chosen, *it)) for program, mode in CLIENTS]
    parts += [
        ("signed card", lambda: signed(chosen)),
        ("lines of OmniRoute", lambda: known(chosen)),
        ("private webhooks", lambda: careful(chosen)),
    ]
    began = time.monotonic()
    with ThreadPoolExecutor(min(4, (os.cpu_count() or 1) + 1)) as pool:
        results = list(pool.map(lambda one: one[1](), [one for one in parts if chosen.only in one[0]]))
    for result in results:
        print(f"== {result.name}, {result.seconds:.1f} s", *result.lines, *result.problems, sep="\n")
    checks = sum(len(result.lines) for result in results)
    failed = sum(len(result.failed()) for result in results)
    bad = sum(result.is_bad() for result in results)
    print(f"\nA2A: {checks - failed} of {checks} checks in {len(results) - bad} of {len(results)} parts passed in "
          f"{time.monotonic() - began:.0f} s", flush=True)
    return 1 if bad or not results else 0


if __name__ == "__main__":
    sys.exit(main())

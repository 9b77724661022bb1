"""OpenAI's client for chat completions, in its plain and its async form (--async): routing, failover, errors, keys.

Every test runs with both forms: `blocking` lets the async client be written down like the plain one, while each call
goes through the real AsyncOpenAI.
"""

import asyncio
import json
import os
import sys
import time

import openai

from harness import ASYNC, CONTEXT, HUB, LOOP, TESTS, blocking, equal, raises, run, simulator_log, soon, test, trivium

WORDS = "one two three four five six"
ECHO = [{"role": "user", "content": f"echo: {WORDS}"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
QUESTION = [{"role": "user", "content": "What is the weather like?"}]


def client(scenario, **options):
    """A client with a good key: the hub's, or the first account's."""
    options = {
        "api_key": CONTEXT["key"] or CONTEXT["accounts"][scenario][0]["key"],
        "base_url": CONTEXT["base_url"],
        "max_retries": 0,
        "timeout": 10,
    } | options
    return blocking(openai.AsyncOpenAI(**options)) if ASYNC else openai.OpenAI(**options)


def ask(scenario, messages=ECHO, **more):
    return client(scenario).chat.completions.create(model=scenario, messages=messages, **more)


def raw(scenario, messages=ECHO, **more):
    return client(scenario).chat.completions.with_raw_response.create(model=scenario, messages=messages, **more)


def account(scenario, place):
    return CONTEXT["accounts"][scenario][place - 1]


def log_of(scenario, place=1):
    """What the simulator saw of an account, oldest first."""
    return [entry for entry in simulator_log() if entry["key"] == account(scenario, place)["key"]]


def joined(chunks):
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


# Models


@test()
def models_are_listed():
    seen = [model.id for model in client("plain").models.list()]
    expected = set(CONTEXT["models"])
    if HUB:
        expected |= {"auto", "multirouter-auto"}
    equal(len(seen), len(set(seen)), "number of different models")
    equal(set(seen), expected, "models")


@test()
def a_model_is_retrieved():
    model = client("plain").models.retrieve("plain")
    equal((model.id, model.object), ("plain", "model"), "model")
    assert isinstance(model.created, int) and model.owned_by


@test()
def an_unknown_model_is_not_retrieved():
    error = raises(openai.NotFoundError, lambda: client("plain").models.retrieve("plaim"))
    equal((error.status_code, error.code), (404, "model_not_found"), "status and code")


# Answers


@test()
def chat():
    answer = ask("plain")
    equal(answer.object, "chat.completion", "object")
    equal(answer.model, "plain", "model")
    equal(len(answer.choices), 1, "number of choices")
    equal(answer.choices[0].message.role, "assistant", "role")
    equal(answer.choices[0].message.content, WORDS, "content")
    equal(answer.choices[0].finish_reason, "stop", "finish reason")
    equal(answer.usage.completion_tokens, 6, "completion tokens")
    equal(answer.usage.total_tokens, answer.usage.prompt_tokens + 6, "total tokens")


@test()
def fields_reach_the_provider_as_sent():
    marker = f"marker-{time.time_ns()}"
    ask("plain", seed=7, user=marker, temperature=0.5, extra_body={"x_unheard_of": {"a": [1, None, "ü"]}})
    body = next(json.loads(entry["body"]) for entry in log_of("plain") if marker in entry["body"])
    expected = {
        "messages": ECHO,
        "model": "plain",
        "seed": 7,
        "temperature": 0.5,
        "user": marker,
        "x_unheard_of": {"a": [1, None, "ü"]},
    }
    equal(body, expected, "body that the provider received")


@test("hub")
def headers_name_the_account():
    response = raw("plain")
    equal(response.headers.get("x-gateway-route"), "plain-1", "route")
    equal(response.headers.get("x-gateway-model"), "plain", "model")
    equal(response.headers.get("x-gateway-attempts"), "1", "attempts")
    assert response.headers.get("x-request-id", "").startswith("req_"), response.headers
    equal(response.parse()._request_id, response.headers["x-request-id"], "request id in the client")


@test("hub")
def auto_takes_the_first_account():
    response = client("plain").chat.completions.with_raw_response.create(model="auto", messages=ECHO)
    equal(response.headers.get("x-gateway-route"), "plain-1", "route")
    equal(response.parse().choices[0].message.content, WORDS, "content")


# Streams


def check_stream(chunks):
    """What holds for each stream of the echo, the usage chunk apart."""
    equal({chunk.object for chunk in chunks}, {"chat.completion.chunk"}, "objects")
    equal({chunk.model for chunk in chunks}, {"plain"}, "models")
    equal(len({chunk.id for chunk in chunks}), 1, "number of ids")
    equal(chunks[0].choices[0].delta.role, "assistant", "role in the first chunk")
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
    equal(pieces, ["one", " two", " three", " four", " five", " six"], "pieces")
    reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    equal(reasons, ["stop"], "finish reasons")


@test()
def stream_without_usage():
    chunks = list(ask("plain", stream=True))
    check_stream(chunks)
    equal([chunk.usage for chunk in chunks], [None] * len(chunks), "usage, which nobody asked for")
    equal([len(chunk.choices) for chunk in chunks], [1] * len(chunks), "choices per chunk")


@test()
def stream_with_usage():
    chunks = list(ask("plain", stream=True, stream_options={"include_usage": True}))
    check_stream(chunks)
    equal([len(chunk.choices) for chunk in chunks], [1] * (len(chunks) - 1) + [0], "choices per chunk")
    equal([chunk.usage for chunk in chunks[:-1]], [None] * (len(chunks) - 1), "usage before the end")
    usage = chunks[-1].usage
    equal((usage.completion_tokens, usage.total_tokens), (6, usage.prompt_tokens + 6), "usage")


@test()
def stream_refusing_usage():
    chunks = list(ask("plain", stream=True, stream_options={"include_usage": False}))
    check_stream(chunks)
    equal([chunk.usage for chunk in chunks], [None] * len(chunks), "usage, which was declined")


@test()
def stream_arrives_piece_by_piece():
    began = time.monotonic()
    arrivals = [time.monotonic() - began for chunk in ask("paced", stream=True) if chunk.choices[0].delta.content]
    equal(len(arrivals), 6, "pieces")
    # The simulator leaves 30 ms between two pieces: all at once would mean that someone holds them back.
    assert arrivals[-1] - arrivals[0] > 0.09, f"the pieces came together: {arrivals}"


# Tools


def get_weather(city):
    return f"sunny in {city}, 23 degrees"


def finish_round_trip(scenario, call_id, name, arguments, **more):
    """Runs the tool that the model asked for, and hands the result back; the messages and what the tool said."""
    equal(name, "get_weather", "tool")
    asked = json.loads(arguments)
    equal(list(asked), ["city"], "arguments")
    assert call_id and isinstance(asked["city"], str) and asked["city"]
    result = get_weather(**asked)
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    messages = [
        *QUESTION,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": result},
    ]
    return result, ask(scenario, messages, tools=[TOOL], **more)


@test()
def tool_round_trip():
    choice = ask("plain", QUESTION, tools=[TOOL]).choices[0]
    equal(choice.finish_reason, "tool_calls", "finish reason")
    equal(choice.message.content, None, "content beside the call")
    (call,) = choice.message.tool_calls
    equal(call.type, "function", "type")
    result, answer = finish_round_trip("plain", call.id, call.function.name, call.function.arguments)
    equal(answer.choices[0].finish_reason, "stop", "finish reason of the answer")
    assert result in answer.choices[0].message.content, answer


@test()
def tool_round_trip_streamed():
    call_id, name, pieces, reasons = None, None, [], []
    for chunk in ask("plain", QUESTION, tools=[TOOL], stream=True):
        (choice,) = chunk.choices
        reasons += [choice.finish_reason] if choice.finish_reason else []
        for part in choice.delta.tool_calls or []:
            equal(part.index, 0, "index")
            call_id, name = call_id or part.id, name or part.function.name
            pieces += [part.function.arguments] if part.function.arguments else []
    equal(reasons, ["tool_calls"], "finish reasons")
    assert len(pieces) > 1, f"the arguments came in one piece: {pieces}"
    result, chunks = finish_round_trip("plain", call_id, name, "".join(pieces), stream=True)
    text = joined(chunks)
    assert result in text, text


# Failover


def failover(name):
    def unary():
        scenario = f"failover-{name}"
        response = raw(scenario)
        equal(response.http_response.status_code, 200, "status")
        equal(response.parse().choices[0].message.content, WORDS, "content")
        equal(response.headers.get("x-gateway-route"), f"{scenario}-2", "route")
        equal(response.headers.get("x-gateway-attempts"), "2", "attempts")
        equal((len(log_of(scenario, 1)), len(log_of(scenario, 2))), (1, 1), "requests per account")

    def streamed():
        scenario = f"failover-{name}-stream"
        stream = ask(scenario, stream=True)
        equal(stream.response.headers.get("x-gateway-route"), f"{scenario}-2", "route")
        chunks = list(stream)
        equal(joined(chunks), WORDS, "content")
        equal(sum(choice.delta.role is not None for chunk in chunks for choice in chunk.choices), 1, "role chunks")
        equal((len(log_of(scenario, 1)), len(log_of(scenario, 2))), (1, 1), "requests per account")

    TESTS.append((f"failover after {name}", unary))
    TESTS.append((f"failover after {name}, streamed", streamed))


if HUB:
    for failure in CONTEXT["failing"]:
        failover(failure)


@test("hub")
def an_account_runs_dry_unseen():
    routes = []
    for _ in range(4):
        response = raw("runs-dry")
        equal(response.parse().choices[0].message.content, WORDS, "content")
        routes.append(response.headers.get("x-gateway-route"))
    equal(routes, ["runs-dry-1", "runs-dry-1", "runs-dry-2", "runs-dry-2"], "routes")
    # Two answers and the refusal; the fourth request left it in peace.
    equal([entry["status"] for entry in log_of("runs-dry")], [200, 200, 429], "what the dry account said")


# Errors


@test()
def a_wrong_key_is_an_authentication_error():
    key = "tvm_nonsense" if HUB else account("wrong-key", 1)["key"]
    plain = client("plain", api_key=key)
    error = raises(openai.AuthenticationError, lambda: plain.chat.completions.create(model="plain", messages=ECHO))
    equal(error.status_code, 401, "status")
    equal(error.code, "invalid_api_key", "code")
    assert error.message and (not HUB or error.request_id.startswith("req_")), error


@test()
def an_unknown_model_is_a_not_found_error():
    error = raises(openai.NotFoundError, lambda: client("plain").chat.completions.create(model="plian", messages=ECHO))
    equal((error.status_code, error.code), (404, "model_not_found"), "status and code")
    assert "plian" in error.message, error.message
    if HUB:
        assert "`plain`" in error.message, f"no near match: {error.message}"


@test()
def dry_accounts_are_a_rate_limit_error():
    for attempt in range(2):  # the hub's second answer comes from memory
        error = raises(openai.RateLimitError, lambda: ask("all-dry"))
        equal(error.status_code, 429, "status")
        wait = int(error.response.headers["retry-after"])
        assert (1 <= wait <= 20) if HUB else wait == 20, f"retry-after: {wait}"
        if HUB:
            equal((len(log_of("all-dry", 1)), len(log_of("all-dry", 2))), (1, 1), f"requests after ask {attempt + 1}")
    streamed = raises(openai.RateLimitError, lambda: ask("all-dry", stream=True))
    assert int(streamed.response.headers["retry-after"]) >= 1


@test()
def failing_accounts_are_a_server_error():
    error = raises(openai.InternalServerError, lambda: ask("all-down"))
    assert error.status_code in ((502, 503) if HUB else (500,)), error.status_code


@test("hub")
def the_accounts_own_denial_is_not_the_callers():
    error = raises(openai.InternalServerError, lambda: ask("all-denied"))
    assert error.status_code in (502, 503), error.status_code
    equal((len(log_of("all-denied", 1)), len(log_of("all-denied", 2))), (1, 1), "requests per account")


@test()
def a_refused_request_is_a_bad_request_error():
    error = raises(openai.BadRequestError, lambda: ask("refused"))
    equal(error.status_code, 400, "status")
    assert "The request was refused." in error.message, error.message
    equal(error.type, "invalid_request_error", "type")
    equal(len(log_of("refused", 1)), 1, "requests at the first account")
    equal(len(log_of("refused", 2)), 0, "requests at the second account")


@test()
def a_wrong_value_is_a_bad_request_error():
    error = raises(openai.BadRequestError, lambda: ask("plain", temperature=9))
    equal((error.param, error.code), ("temperature", "above_max_value"), "param and code")


@test()
def an_unprocessable_request_is_passed_on():
    error = raises(openai.UnprocessableEntityError, lambda: ask("unprocessable"))
    equal(error.status_code, 422, "status")
    equal(len(log_of("unprocessable", 2)), 0, "requests at the second account")


@test()
def malformed_messages_are_a_bad_request_error():
    error = raises(openai.BadRequestError, lambda: ask("plain", messages="hello"))
    equal(error.status_code, 400, "status")


# Ends that come too early


def check_timeout(scenario, **more):
    began = time.monotonic()
    impatient = client(scenario, timeout=1)
    raises(
        openai.APITimeoutError,
        lambda: impatient.chat.completions.create(model=scenario, messages=ECHO, **more),
    )
    assert 0.9 < time.monotonic() - began < 4, f"took {time.monotonic() - began:.1f} s"
    soon(
        "the provider sees that the client left",
        lambda: [entry["outcome"] for entry in log_of(scenario)] == ["client_left"],
    )


@test()
def a_timeout_cancels_the_request():
    check_timeout("hang")


@test()
def a_timeout_cancels_the_stream():
    check_timeout("hang-stream", stream=True)


@test()
def a_closed_stream_cancels_the_request():
    stream = ask("stall", stream=True)
    pieces = []
    for chunk in stream:
        pieces += [choice.delta.content for choice in chunk.choices if choice.delta.content]
        if len(pieces) == 3:
            break
    equal(pieces, ["one", " two", " three"], "pieces")
    equal([entry["outcome"] for entry in log_of("stall")], ["running"], "outcome before")
    stream.close()
    soon("the provider sees it", lambda: [entry["outcome"] for entry in log_of("stall")] == ["client_left"])


def broken_stream(scenario):
    """Reads a stream that must break; its text up to there and the error."""
    text = []

    def read():
        for chunk in ask(scenario, stream=True):
            text.append(joined([chunk]))

    error = None
    try:
        read()
    except Exception as seen:
        error = seen
    assert error is not None, f"the stream ended as if it were whole: {''.join(text)!r}"
    equal("".join(text), "one two three", "text before the break")
    return error


@test()
def an_error_within_a_stream_is_an_api_error():
    error = broken_stream("error-late")
    equal(type(error), openai.APIError, "class")
    assert error.message, error
    equal(len(log_of("error-late", 2)), 0, "requests at the second account")


@test()
def a_cut_stream_is_an_error():
    error = broken_stream("cut-late")
    if HUB:
        # The hub says what happened; without it the client sees the broken connection.
        equal(type(error), openai.APIError, "class")
        assert error.message, error
    equal(len(log_of("cut-late", 2)), 0, "requests at the second account")


# Keys


@test("hub")
def a_key_lives_and_ends():
    name = f"e2e-{os.getpid()}"
    key = trivium("keys", "create", name)
    assert key.startswith("tvm_") and "\n" not in key, "the key alone should be on stdout"
    holder = client("plain", api_key=key)
    equal(holder.chat.completions.create(model="plain", messages=ECHO).choices[0].message.content, WORDS, "content")
    trivium("keys", "revoke", name)
    for action in (
        lambda: holder.chat.completions.create(model="plain", messages=ECHO),
        lambda: holder.models.retrieve("plain"),
    ):
        equal(raises(openai.AuthenticationError, action).status_code, 401, "status")


# Many at once


if ASYNC:

    @test()
    def many_requests_side_by_side():
        before = len(log_of("plain"))

        async def all_of_them():
            options = {"api_key": CONTEXT["key"] or account("plain", 1)["key"], "base_url": CONTEXT["base_url"]}
            async with openai.AsyncOpenAI(max_retries=0, timeout=30, **options) as shared:

                async def one(number):
                    messages = [{"role": "user", "content": f"echo: number {number}"}]
                    if number % 2:
                        answer = await shared.chat.completions.create(model="plain", messages=messages)
                        return answer.choices[0].message.content
                    stream = await shared.chat.completions.create(model="plain", messages=messages, stream=True)
                    return joined([chunk async for chunk in stream])

                return await asyncio.gather(*(one(number) for number in range(60)))

        equal(LOOP.run_until_complete(all_of_them()), [f"number {number}" for number in range(60)], "answers")
        equal(len(log_of("plain")) - before, 60, "requests at the provider")


if __name__ == "__main__":
    sys.exit(run())

"""Every client against every provider dialect: conversations, tools, thinking, images, limits, errors, broken streams.

One table of tests for all clients; `speak` says how each client does it. Directly against the simulator each client
meets the dialect that it was made for. With --async the clients' async forms are used.
"""

import asyncio
import json
import sys
import uuid
from functools import cache

from harness import ASYNC, CONTEXT, DIALECTS, HUB, LOOP, ORIGIN, equal, forget_log, raises, run, seen_with, simulator_log, soon, test
from speak import DOCUMENT, IMAGE, tool
from speak.chat import Chat
from speak.gemini import Gemini
from speak.messages import Messages
from speak.responses import Responses

SPEAKERS = [Chat, Responses, Messages, Gemini]
WORDS = "one two three four five six"
TOOLS = [tool("get_weather", "weather"), tool("get_time", "time")]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}


@cache
def known(kind, key):
    """A client; to make one takes its time."""
    return kind(ORIGIN, key)


class Meeting:
    """A client and a provider."""

    def __init__(self, kind, provider, stream=False):
        self.kind, self.provider, self.stream = kind, provider, stream

    def speaker(self, connection=None):
        """The client with a good key: the hub's, or the connection's own."""
        key = CONTEXT["key"] or CONTEXT["connections"][connection or f"on-{self.provider}"]["key"]
        return known(self.kind, key)

    def model(self, connection=None, provider=None):
        provider = provider or self.provider
        model = CONTEXT["dialects"][provider]["model"]
        return f"{connection or f'on-{provider}'}/{model}" if HUB else model

    def ask(self, text, **more):
        speaker = self.speaker()
        return speaker.ask(self.model(), speaker.user(text), stream=self.stream, **more)

    def trouble(self, name):
        """The connection of this name, for this pair alone."""
        return f"{name}-{self.kind.dialect}-{self.provider}"


def marked():
    """A text that no other test sends."""
    return f"marker{uuid.uuid4().hex}"


# Conversations


def plain_text(meet):
    answer = meet.ask(f"echo: {WORDS}")
    equal((answer.text, answer.calls, answer.stop), (WORDS, [], "stop"), "answer")
    equal(answer.usage[1], 6, "output tokens")
    assert answer.usage[0] > 0, answer.usage


def unicode_text(meet):
    text = 'ü 漢字 🚀 "quoted" \\ back\u2028slash'
    equal(meet.ask(f"echo: {text}").text, text, "text")


def system_prompt_and_turns(meet):
    speaker, rule, word = meet.speaker(), marked(), marked()
    history = speaker.user(f"echo: I remember {word}")
    answer = speaker.ask(meet.model(), history, stream=meet.stream, system=rule)
    history = [*history, *answer.turn, *speaker.user("echo: again")]
    answer = speaker.ask(meet.model(), history, stream=meet.stream, system=rule)
    equal(answer.text, "again", "text")
    first, second = seen_with(rule)
    equal((first["body"].count(word), second["body"].count(word)), (1, 2), "how often the provider read of it")


def one_tool(meet):
    speaker = meet.speaker()
    history = speaker.user("What is the weather like?")
    answer = speaker.ask(meet.model(), history, stream=meet.stream, tools=TOOLS)
    (call,) = answer.calls
    equal((call.name, list(call.arguments), answer.stop), ("get_weather", ["city"], "tools"), "call")
    history = [*history, *answer.turn, *speaker.results([(call, "sunny, 23 degrees")])]
    answer = speaker.ask(meet.model(), history, stream=meet.stream, tools=TOOLS)
    assert "sunny, 23 degrees" in answer.text and answer.stop == "stop", answer


def two_tools_at_once(meet):
    speaker = meet.speaker()
    history = speaker.user("Use both in parallel.")
    answer = speaker.ask(meet.model(), history, stream=meet.stream, tools=TOOLS)
    equal([call.name for call in answer.calls], ["get_weather", "get_time"], "calls")
    equal([list(call.arguments) for call in answer.calls], [["city"], ["city"]], "arguments")
    results = list(zip(answer.calls, ["sunny", "half past nine"]))
    history = [*history, *answer.turn, *speaker.results(results)]
    answer = speaker.ask(meet.model(), history, stream=meet.stream, tools=TOOLS)
    assert "half past nine" in answer.text and answer.stop == "stop", answer


def structured_output(meet):
    answer = json.loads(meet.ask("Where is it how warm?", schema=SCHEMA).text)
    equal({name: type(value) for name, value in answer.items()}, {"city": str, "degrees": int}, "answer")


def thinking(meet):
    continued(meet, meet.provider)


def silent(meet, provider):
    """Whether thoughts stay unsaid: chat has no words to ask Responses for a summary."""
    return meet.kind is Chat and provider == "responses"


def continued(meet, second, answering=None):
    """Thinks and calls a tool at the meeting's provider, and goes on at `second` with all that came back."""
    speaker, more = meet.speaker(), {"stream": meet.stream, "tools": TOOLS, "thinking": True}
    history = speaker.user("What is the weather like?")
    answer = speaker.ask(meet.model(), history, **more)
    assert answer.thought or silent(meet, meet.provider), f"no thoughts: {answer}"
    (call,) = answer.calls
    history = [*history, *answer.turn, *speaker.results([(call, "sunny, 23 degrees")])]
    answer = speaker.ask(meet.model(provider=second), history, **more)
    assert "sunny, 23 degrees" in answer.text, answer
    # In the middle of a step, one who did not begin it may not be able to think.
    assert answer.thought or second != meet.provider or silent(meet, second), answer
    history = [*history, *answer.turn, *speaker.user(f"echo: {WORDS}")]
    answer = speaker.ask(meet.model(), history, **more)
    equal(answer.text, WORDS, "text")
    assert answer.thought or silent(meet, answering or meet.provider), answer


def image(meet):
    speaker, word = meet.speaker(), marked()
    answer = speaker.ask(meet.model(), speaker.user(f"echo: {word}", image=True), stream=meet.stream)
    equal(answer.text, word, "text")
    (entry,) = seen_with(word)
    assert IMAGE in entry["body"], f"the provider did not see the image: {entry['body'][:300]}"


def document(meet):
    speaker, word = meet.speaker(), marked()
    history = speaker.user(f"echo: {word}", document=True)
    equal(speaker.ask(meet.model(), history, stream=meet.stream).text, word, "text")
    (entry,) = seen_with(word)
    # Google's client writes the other alphabet of Base64, and Google reads both; others do not.
    allowed = [DOCUMENT]
    if meet.kind is Gemini and meet.provider == "gemini":
        allowed.append(DOCUMENT.translate(str.maketrans("+/", "-_")))
    assert any(data in entry["body"] for data in allowed), f"the provider did not see the document: {entry['body'][:300]}"


def image_as_a_result(meet):
    """Where a tool's result cannot be an image, the user shows it."""
    speaker, more = meet.speaker(), {"stream": meet.stream, "tools": TOOLS}
    history = speaker.user(f"What is the weather like? {(word := marked())}")
    answer = speaker.ask(meet.model(), history, **more)
    history = [*history, *answer.turn, *speaker.results([(answer.calls[0], "see the picture")], image=True)]
    answer = speaker.ask(meet.model(), history, **more)
    assert answer.text, answer
    assert IMAGE in seen_with(word)[-1]["body"], "the provider did not see the image"


def web_search(meet):
    """The vendor's own search, with its sources; what another vendor cannot do is left out."""
    speaker = meet.speaker()
    history = speaker.user("search the news and cite them")
    answer = speaker.ask(meet.model(), history, stream=meet.stream, search=True)
    assert answer.text, answer
    history = [*history, *answer.turn, *speaker.user(f"echo: {WORDS}")]
    equal(speaker.ask(meet.model(), history, stream=meet.stream, search=True).text, WORDS, "text")
    other = DIALECTS[(DIALECTS.index(meet.provider) + 1) % len(DIALECTS)] if HUB else meet.provider
    equal(speaker.ask(meet.model(provider=other), history, stream=meet.stream).text, WORDS, f"text from {other}")


def max_tokens(meet):
    # The fewest that Responses takes.
    answer = meet.ask(f"echo: {' '.join(f'w{number}' for number in range(40))}", max_tokens=16)
    equal((answer.stop, len(answer.text.split()), answer.usage[1]), ("length", 16, 16), "stop, words, tokens")


def refusal(meet):
    answer = meet.ask("Refuse me!")
    assert answer.stop in ("stop", "refusal"), answer


TALKS = [
    plain_text,
    unicode_text,
    system_prompt_and_turns,
    one_tool,
    two_tools_at_once,
    structured_output,
    thinking,
    image,
    document,
    web_search,
    max_tokens,
    refusal,
]


# Once per pair


def usage_is_the_same_streamed(meet):
    for text, more in ((f"echo: {WORDS}", {}), ("What is the weather like?", {"tools": TOOLS})):
        whole = meet.ask(text, **more)
        streamed = Meeting(meet.kind, meet.provider, stream=True).ask(text, **more)
        equal(streamed.usage, whole.usage, f"usage of the stream for {text!r}")


def dry(meet):
    connection = meet.trouble("dry")
    speaker = meet.speaker(connection)
    for _ in range(2):  # the hub's second answer comes from memory
        error = raises(speaker.rate_limit, lambda: speaker.ask(meet.model(connection), speaker.user("hello")))
        equal(getattr(error, "status_code", None) or error.code, 429, "status")
        wait = speaker.retry_after(error)
        assert (1 <= wait <= 20) if HUB else wait == 20, f"retry-after: {wait}"


def refused(meet):
    connection = meet.trouble("refused")
    speaker = meet.speaker(connection)
    error = raises(speaker.bad_request, lambda: speaker.ask(meet.model(connection), speaker.user("hello")))
    # Google's own words for it.
    assert "refused" in error.message or "invalid argument" in error.message, error


def down(meet):
    connection = meet.trouble("down")
    speaker = meet.speaker(connection)
    raises(speaker.server_error, lambda: speaker.ask(meet.model(connection), speaker.user("hello")), exactly=False)


def breaks_late(meet, trouble="late"):
    connection = meet.trouble(trouble)
    speaker, seen, error = meet.speaker(connection), [], None
    pieces, _ = speaker.open(meet.model(connection), speaker.user(f"echo: {WORDS}"))
    try:
        for piece in pieces:
            seen.append(piece)
    except Exception as raised:
        error = raised
    assert error is not None, f"the stream ended as if it were whole: {seen}"
    equal("".join(seen), "one two three", "text before the break")
    speaker.check_broken(error)


def is_cut(meet):
    if HUB:  # without it, each client sees the broken connection in its own way
        breaks_late(meet, "cut")


def left_alone(meet):
    connection = meet.trouble("stall")
    key = CONTEXT["connections"][connection]["key"]
    speaker = meet.speaker(connection)
    pieces, close = speaker.open(meet.model(connection), speaker.user(f"echo: {WORDS}"))
    equal([piece for _, piece in zip(range(3), pieces)], ["one", " two", " three"], "pieces")
    outcomes = lambda: [entry["outcome"] for entry in simulator_log() if entry["key"] == key]
    equal(outcomes(), ["running"], "outcome before")
    close()
    soon("the provider sees it", lambda: outcomes() == ["client_left"])


PAIRS = [usage_is_the_same_streamed, dry, refused, down, is_cut, breaks_late, left_alone]


# Once per client


def wrong_key(meet):
    speaker = meet.kind(ORIGIN, "tvm_nonsense" if HUB else "sim-nonsense")
    error = raises(speaker.wrong_key, lambda: speaker.ask(meet.model(), speaker.user("hello")))
    status = getattr(error, "status_code", None) or error.code
    # Google says 400 to a key that is none.
    equal(status, 400 if meet.kind is Gemini and not HUB else 401, "status")


def unknown_model(meet):
    speaker = meet.speaker()
    name = f"on-{meet.provider}x/m" if HUB else "nobody-has-this"
    error = raises(speaker.unknown_model, lambda: speaker.ask(name, speaker.user("hello")))
    equal(getattr(error, "status_code", None) or error.code, 404, "status")


def bad_request(meet):
    speaker = meet.speaker()
    error = raises(speaker.bad_request, lambda: speaker.ask(meet.model(), speaker.user("hello"), **speaker.spoiled))
    equal(getattr(error, "status_code", None) or error.code, 400, "status")


CLIENTS = [wrong_key, unknown_model, bad_request]


# All at once


def everybody_at_once():
    """All clients and providers side by side; nobody gets another's answer."""

    async def one(number, kind, provider):
        speaker = Meeting(kind, provider).speaker()
        word = f"number {number}"
        request = speaker.request(Meeting(kind, provider).model(), speaker.user(f"echo: {word}"))
        inner = speaker.client.unwrapped()
        if kind is Chat:
            text = (await inner.chat.completions.create(**request)).choices[0].message.content
        elif kind is Responses:
            text = (await inner.responses.create(**request)).output_text
        elif kind is Messages:
            text = (await inner.messages.create(**request)).content[0].text
        else:
            text = (await inner.models.generate_content(**request)).text
        return text == word

    async def all_of_them():
        pairs = [(kind, provider) for kind in SPEAKERS for provider in (DIALECTS if HUB else [kind.dialect])]
        return await asyncio.gather(*(one(number, *pairs[number % len(pairs)]) for number in range(160)))

    equal(LOOP.run_until_complete(all_of_them()).count(True), 160, "right answers")


# The tables


def add(function, meet, where="both"):
    def run_one():
        # A long log takes long to read.
        forget_log()
        function(meet)

    name = f"{meet.kind.dialect} to {meet.provider}, {function.__name__.replace('_', ' ')}{', streamed' * meet.stream}"
    test(where, name)(run_one)


def moves(kind, first, second, stream):
    """The same conversation, once by the client's own choice of another model, once since the first account ran dry."""
    what = f"{kind.dialect} from {first} to {second}{', streamed' * stream}"
    meet = Meeting(kind, first, stream)
    test("hub", f"{what}, by choice")(lambda: continued(meet, second))


def falls_over(kind, first, second):
    meet = Meeting(kind, first)
    model = f"gemini-3-{kind.dialect}-{first}-{second}"
    meet.model = lambda **_: model
    test("hub", f"{kind.dialect} from {first} to {second}, as the first runs dry")(
        lambda: continued(meet, second, answering=second)
    )


def fill():
    for kind in SPEAKERS:
        providers = DIALECTS if HUB else [kind.dialect]
        for provider in providers:
            for stream in (False, True):
                for talk in TALKS + [image_as_a_result] * kind.pictured:
                    add(talk, Meeting(kind, provider, stream))
            for talk in PAIRS if not ASYNC else PAIRS[-2:]:
                add(talk, Meeting(kind, provider))
        for talk in CLIENTS:
            add(talk, Meeting(kind, kind.dialect))
        if ASYNC:
            continue
        for first in DIALECTS:
            for second in DIALECTS:
                if first != second:
                    moves(kind, first, second, stream=False)
                    moves(kind, first, second, stream=True)
                    falls_over(kind, first, second)


    if ASYNC:
        test(name="everybody at once")(everybody_at_once)


if __name__ == "__main__":
    fill()
    sys.exit(run())

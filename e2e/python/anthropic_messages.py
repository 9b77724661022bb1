"""Anthropic's client beyond conversations: events, counts, lists, cache marks, its tool runner."""

import sys
import uuid
from functools import cache

import anthropic
from anthropic import beta_tool

from harness import CONTEXT, DIALECTS, HUB, ORIGIN, equal, raises, run, test
from pydantic import BaseModel

WORDS = "one two three four five six"
ECHO = [{"role": "user", "content": f"echo: {WORDS}"}]
TOOL = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Weather(BaseModel):
    """What an answer is parsed into."""

    city: str
    degrees: int


@cache
def client(**options):
    key = CONTEXT["key"] or CONTEXT["connections"]["on-messages"]["key"]
    return anthropic.Anthropic(**({"api_key": key, "base_url": ORIGIN, "max_retries": 0, "timeout": 10} | options))


def model(dialect="messages"):
    name = CONTEXT["dialects"][dialect]["model"]
    return f"on-{dialect}/{name}" if HUB else name


def for_each_provider(function):
    for dialect in DIALECTS if HUB else ["messages"]:
        test(name=f"{function.__name__.replace('_', ' ')}, {dialect}")(lambda dialect=dialect: function(dialect))


@for_each_provider
def events_come_in_order(dialect):
    seen = list(client().messages.create(model=model(dialect), messages=ECHO, max_tokens=100, stream=True))
    kinds = [event.type for event in seen if event.type != "ping"]
    expected = ["message_start", "content_block_start"] + ["content_block_delta"] * 6
    expected += ["content_block_stop", "message_delta", "message_stop"]
    equal(kinds, expected, "events")
    assert seen[-2].delta.stop_reason == "end_turn" and seen[-2].usage.output_tokens == 6, seen[-2]


@for_each_provider
def thinking_is_signed(dialect):
    request = {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    with client().messages.stream(model=model(dialect), messages=ECHO, **request) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    blocks = [block.type for block in final.content]
    # Google signs its text as well.
    assert blocks[:2] == ["thinking", "text"] and (len(blocks) == 2 or dialect == "gemini"), blocks
    assert final.content[0].signature or dialect in ("chat", "gemini"), final.content[0]
    assert "thinking" in kinds, kinds


@for_each_provider
def tokens_are_counted(dialect):
    count = client().messages.count_tokens(model=model(dialect), messages=ECHO, tools=[TOOL], system="Be brief.")
    assert count.input_tokens > 10, count


@for_each_provider
def the_tool_runner_goes_round(dialect):
    asked = []

    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city.

        Args:
            city: The city
        """
        asked.append(city)
        return f"sunny in {city}"

    question = [{"role": "user", "content": "What is the weather like?"}]
    runner = client().beta.messages.tool_runner(
        model=model(dialect), max_tokens=500, tools=[get_weather], messages=question
    )
    final = runner.until_done()
    equal(len(asked), 1, "calls")
    assert f"sunny in {asked[0]}" in final.content[0].text, final


@for_each_provider
def an_answer_is_parsed(dialect):
    question = [{"role": "user", "content": "How warm is it?"}]
    answer = client().messages.parse(model=model(dialect), max_tokens=500, messages=question, output_format=Weather)
    assert isinstance(answer.parsed_output, Weather), answer


@for_each_provider
def a_failed_tool_says_so(dialect):
    question = [{"role": "user", "content": "What is the weather like?"}]
    request = {"model": model(dialect), "max_tokens": 500, "tools": [TOOL]}
    answer = client().messages.create(messages=question, **request)
    result = {"type": "tool_result", "tool_use_id": answer.content[-1].id, "is_error": True, "content": "no such city"}
    history = [*question, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    final = client().messages.create(messages=history, **request)
    assert "no such city" in "".join(block.text for block in final.content if block.type == "text"), final


@for_each_provider
def a_forced_tool_is_called(dialect):
    choice = {"type": "tool", "name": "get_weather"}
    hello = [{"role": "user", "content": "hello"}]
    answer = client().messages.create(
        model=model(dialect), max_tokens=500, messages=hello, tools=[TOOL], tool_choice=choice
    )
    equal((answer.stop_reason, answer.content[-1].name), ("tool_use", "get_weather"), "answer")


@for_each_provider
def a_stop_sequence_ends_it(dialect):
    answer = client().messages.create(model=model(dialect), max_tokens=500, messages=ECHO, stop_sequences=["four"])
    if dialect == "responses":
        return  # It has no words for this.
    equal(answer.content[0].text.strip(), "one two three", "text")
    # Only Anthropic says which text it was.
    expected = ("stop_sequence", "four") if dialect == "messages" else ("end_turn", None)
    equal((answer.stop_reason, answer.stop_sequence), expected, "reason")


@for_each_provider
def cache_marks_are_welcome(dialect):
    text = {"type": "text", "text": f"{uuid.uuid4()} A long text. " * 500, "cache_control": {"type": "ephemeral"}}
    usages = [
        client().messages.create(model=model(dialect), max_tokens=100, system=[text], messages=ECHO).usage
        for _ in range(2)
    ]
    if dialect == "messages":
        assert usages[0].cache_creation_input_tokens > 1000, usages[0]
        equal(usages[1].cache_read_input_tokens, usages[0].cache_creation_input_tokens, "tokens from the cache")


@for_each_provider
def withheld_thinking_goes_back(dialect):
    request = {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [TOOL]}
    history = [{"role": "user", "content": "redact your thoughts on the weather"}]
    answer = client().messages.create(model=model(dialect), messages=history, **request)
    kinds = [block.type for block in answer.content]
    if dialect == "messages":
        equal(kinds, ["thinking", "redacted_thinking", "tool_use"], "blocks")
    result = {"type": "tool_result", "tool_use_id": answer.content[-1].id, "content": "fog"}
    history += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    final = client().messages.create(model=model(dialect), messages=history, **request)
    assert "fog" in "".join(block.text for block in final.content if block.type == "text"), final


@for_each_provider
def a_coding_agent_works(dialect):
    mark = {"cache_control": {"type": "ephemeral"}}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "command": {"type": "string", "pattern": "^[a-z]+"},
            "timeout": {"type": "number", "exclusiveMinimum": 0, "maximum": 600},
            "mode": {"anyOf": [{"const": "fast"}, {"type": "null"}]},
        },
        "required": ["command"],
        "additionalProperties": False,
    }
    tools = [{"name": name, "description": f"{name} it", "input_schema": schema} for name in ("Bash", "Read")]
    history = [
        {"role": "user", "content": [{"type": "text", "text": "Use both in parallel.", **mark}]},
        {"role": "system", "content": "The user is at a terminal."},
    ]
    request = {
        "model": model(dialect),
        "max_tokens": 64000,
        "system": [{"type": "text", "text": "You are a coding agent.", **mark}],
        "tools": tools,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "high"},
        "metadata": {"user_id": "somebody"},
        "extra_query": {"beta": "true"},
    }
    with client().messages.stream(messages=history, **request) as stream:
        answer = stream.get_final_message()
    uses = [block for block in answer.content if block.type == "tool_use"]
    equal([use.name for use in uses], ["Bash", "Read"], "tools")
    results = [
        {"type": "tool_result", "tool_use_id": uses[0].id, "content": [{"type": "text", "text": "ok"}]},
        {"type": "tool_result", "tool_use_id": uses[1].id, "content": "no such file", "is_error": True, **mark},
    ]
    reminder = {"role": "system", "content": [{"type": "text", "text": "Mind the time.", **mark}]}
    history += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}, reminder]
    with client().messages.stream(messages=history, **request) as stream:
        answer = stream.get_final_message()
    text = "".join(block.text for block in answer.content if block.type == "text")
    # Google knows no late words of the system: they are the user's, and the simulator answers those.
    assert "no such file" in text or dialect == "gemini", answer
    other = DIALECTS[(DIALECTS.index(dialect) + 1) % len(DIALECTS)] if HUB else dialect
    history += [{"role": "assistant", "content": answer.content}, *ECHO]
    answer = client().messages.create(messages=history, **request | {"model": model(other)}, timeout=10)
    text = "".join(block.text for block in answer.content if block.type == "text")
    equal(text, WORDS, f"text from {other}")


@test()
def models_are_listed_and_retrieved():
    seen = [one.id for one in client().models.list(limit=1000)]
    assert set(CONTEXT["models"]) <= set(seen), set(CONTEXT["models"]) - set(seen)
    equal(len(seen), len(set(seen)), "number of different models")
    one = client().models.retrieve("plain")
    equal((one.id, one.type), ("plain", "model"), "model")
    assert one.display_name and one.created_at, one
    raises(anthropic.NotFoundError, lambda: client().models.retrieve("plaim"))


@test("hub")
def pages_are_turned():
    seen = [one.id for one in client().models.list(limit=5)]
    assert set(CONTEXT["models"]) <= set(seen), set(CONTEXT["models"]) - set(seen)


@test("hub")
def a_bearer_token_is_a_key_too():
    answer = client(api_key=None, auth_token=CONTEXT["key"]).messages.create(
        model=model(), max_tokens=100, messages=ECHO
    )
    equal(answer.content[0].text, WORDS, "text")


@test()
def requests_have_ids():
    answer = client().messages.create(model=model(), max_tokens=100, messages=ECHO)
    assert answer._request_id, answer
    error = raises(
        anthropic.NotFoundError, lambda: client().messages.create(model="nobody", max_tokens=9, messages=ECHO)
    )
    assert error.request_id and (not HUB or error.body["request_id"] == error.request_id), error.body
    equal((error.body["type"], error.body["error"]["type"]), ("error", "not_found_error"), "kinds")


if __name__ == "__main__":
    sys.exit(run())

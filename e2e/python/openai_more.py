"""OpenAI's client beyond conversations: Responses that are stored, typed events, embeddings, legacy completions."""

import sys
from functools import cache

import openai
from pydantic import BaseModel

from harness import CONTEXT, DIALECTS, HUB, equal, raises, run, test

WORDS = "one two three four five six"
ECHO = [{"role": "user", "content": f"echo: {WORDS}"}]
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


class Weather(BaseModel):
    """What an answer is parsed into."""

    city: str
    degrees: int


@cache
def client(dialect="responses"):
    key = CONTEXT["key"] or CONTEXT["connections"][f"on-{dialect}"]["key"]
    return openai.OpenAI(api_key=key, base_url=CONTEXT["base_url"], max_retries=0, timeout=10)


def model(dialect="responses"):
    name = CONTEXT["dialects"][dialect]["model"]
    return f"on-{dialect}/{name}" if HUB else name


def for_each_provider(function):
    """A test with each provider behind the hub, and with the simulator's Responses themselves."""
    for dialect in DIALECTS if HUB else ["responses"]:
        test(name=f"{function.__name__.replace('_', ' ')}, {dialect}")(lambda dialect=dialect: function(dialect))


# Responses: events


@for_each_provider
def events_come_in_order(dialect):
    seen = list(client().responses.create(model=model(dialect), input=ECHO, stream=True, store=False))
    kinds = [event.type for event in seen]
    equal(kinds[:2], ["response.created", "response.in_progress"], "beginning")
    equal(kinds[-1], "response.completed", "end")
    middle = [kind.removeprefix("response.") for kind in kinds[2:-1]]
    expected = ["output_item.added", "content_part.added"] + ["output_text.delta"] * 6
    expected += ["output_text.done", "content_part.done", "output_item.done"]
    equal(middle, expected, "events")
    equal([event.sequence_number for event in seen], list(range(len(seen))), "sequence numbers")
    equal("".join(event.delta for event in seen if event.type == "response.output_text.delta"), WORDS, "deltas")
    items = {event.item_id for event in seen if hasattr(event, "item_id")}
    equal(items, {seen[-1].response.output[0].id}, "item ids")
    equal(len({event.response.id for event in seen if hasattr(event, "response")}), 1, "number of response ids")


@for_each_provider
def reasoning_and_calls_are_events(dialect):
    reasoning = {"effort": "low", "summary": "auto"}
    request = {"input": "What is the weather like?", "tools": [WEATHER], "reasoning": reasoning, "store": False}
    with client().responses.stream(model=model(dialect), **request) as stream:
        seen = list(stream)
        final = stream.get_final_response()
    kinds = {event.type for event in seen}
    for kind in ("reasoning_summary_text.delta", "reasoning_summary_text.done", "function_call_arguments.done"):
        assert f"response.{kind}" in kinds, sorted(kinds)
    (call,) = [item for item in final.output if item.type == "function_call"]
    (done,) = [event for event in seen if event.type == "response.function_call_arguments.done"]
    equal((done.arguments, call.name, call.status), (call.arguments, "get_weather", "completed"), "call")
    pieces = [event.delta for event in seen if event.type == "response.function_call_arguments.delta"]
    equal("".join(pieces), call.arguments, "arguments in pieces")
    assert call.parsed_arguments["city"], call


@for_each_provider
def an_answer_is_parsed(dialect):
    answer = client().responses.parse(model=model(dialect), input="How warm is it?", text_format=Weather, store=False)
    assert isinstance(answer.output_parsed, Weather), answer.output


@for_each_provider
def a_custom_tool_gets_free_text(dialect):
    tool = {"type": "custom", "name": "apply_patch", "description": "Applies a patch"}
    history = [{"role": "user", "content": "Use the tool."}]
    for stream in (False, True):
        request = {"model": model(dialect), "tools": [tool], "store": False}
        if stream:
            with client().responses.stream(input=history, **request) as events:
                answer = [*events][-1].response
        else:
            answer = client().responses.create(input=history, **request)
        (call,) = [item for item in answer.output if item.type == "custom_tool_call"]
        assert call.name == "apply_patch" and call.input and not call.input.startswith("{"), call
        result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "done at last"}
        answer = client().responses.create(input=[*history, *answer.output, result], **request)
        assert "done at last" in answer.output_text, answer.output


# What coding agents send: tools in groups, named by an item of the input, and a developer's words


def terminal():
    """A group of tools, as an item of the input."""
    run = {"type": "function", "name": "exec", "description": "Runs a command.", "strict": False}
    run["parameters"] = {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
    patch = {"type": "custom", "name": "apply_patch", "description": "Edits files.", "format": grammar}
    group = {"type": "namespace", "name": "shell", "description": "The terminal.", "tools": [run, patch]}
    return {"type": "additional_tools", "role": "developer", "tools": [group]}


@for_each_provider
def a_coding_agent_works(dialect):
    rule = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Read only."}]}
    task = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Use both in parallel."}]}
    history = [rule, terminal(), task]
    request = {
        "model": model(dialect),
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "prompt_cache_key": "thread-1",
        "text": {"verbosity": "medium"},
        "extra_body": {"client_metadata": {"origin": "terminal"}},
    }
    with client().responses.stream(input=history, **request) as events:
        answer = [*events][-1].response
    calls = {item.name: item for item in answer.output if item.type in ("function_call", "custom_tool_call")}
    seen = {name: (call.type, call.namespace) for name, call in calls.items()}
    expected = {"exec": ("function_call", "shell"), "apply_patch": ("custom_tool_call", "shell")}
    equal(seen, expected, "calls")
    results = [
        {"type": "function_call_output", "call_id": calls["exec"].call_id, "output": "Helo"},
        {"type": "custom_tool_call_output", "call_id": calls["apply_patch"].call_id, "output": "patched"},
    ]
    history = [*history, *answer.output, *results]
    with client().responses.stream(input=history, **request) as events:
        answer = [*events][-1].response
    assert "patched" in answer.output_text, answer.output
    # And with another provider, as a user changes the model.
    other = DIALECTS[(DIALECTS.index(dialect) + 1) % len(DIALECTS)] if HUB else dialect
    history = [*history, *answer.output, *ECHO]
    answer = client().responses.create(input=history, **request | {"model": model(other)})
    equal(answer.output_text, WORDS, f"text from {other}")


# Responses: what is stored


@for_each_provider
def a_response_goes_on_from_the_one_before(dialect):
    first = client().responses.create(model=model(dialect), input="What is the weather like?", tools=[WEATHER])
    (call,) = [item for item in first.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "rain, 9 degrees"}
    for stream in (False, True):
        request = {"model": model(dialect), "previous_response_id": first.id, "input": [result], "tools": [WEATHER]}
        if stream:
            with client().responses.stream(**request) as events:
                second = [*events][-1].response
        else:
            second = client().responses.create(**request)
        assert "rain, 9 degrees" in second.output_text, second.output
        equal(second.previous_response_id, first.id, "previous response")
        third = client().responses.create(model=model(dialect), previous_response_id=second.id, input="echo: third")
        equal(third.output_text, "third", "text")


@for_each_provider
def a_response_is_kept_and_forgotten(dialect):
    made = client().responses.create(model=model(dialect), input=f"echo: {WORDS}", metadata={"topic": "roads"})
    again = client().responses.retrieve(made.id)
    equal((again.id, again.output_text, again.metadata), (made.id, WORDS, {"topic": "roads"}), "response")
    items = list(client().responses.input_items.list(made.id))
    assert WORDS in items[0].content[0].text, items
    client().responses.delete(made.id)
    raises(openai.NotFoundError, lambda: client().responses.retrieve(made.id))
    follow = {"model": model(dialect), "previous_response_id": made.id, "input": "hello"}
    # OpenAI answers 400; both are errors of the request.
    error = raises(openai.APIStatusError, lambda: client().responses.create(**follow), exactly=False)
    assert error.status_code in (400, 404) and made.id in error.message, error


@for_each_provider
def what_is_not_stored_cannot_be_had(dialect):
    made = client().responses.create(model=model(dialect), input=f"echo: {WORDS}", store=False)
    raises(openai.NotFoundError, lambda: client().responses.retrieve(made.id))


@for_each_provider
def tokens_are_counted(dialect):
    count = client().responses.input_tokens.count(model=model(dialect), input=f"echo: {WORDS}")
    assert count.input_tokens > 5, count


@for_each_provider
def a_conversation_is_compacted(dialect):
    request = {"model": model(dialect), "input": [*ECHO, {"role": "assistant", "content": WORDS}, *ECHO]}
    raw = client().responses.with_raw_response.compact(**request)
    # Where the provider cannot, the hub has the model write a summary, and says so.
    equal(raw.headers.get("x-trivium-compaction"), None if dialect == "responses" else "hub", "its maker")
    made = raw.parse()
    kinds = [item.type for item in made.output]
    equal(kinds.count("compaction"), 1, f"compactions in {kinds}")
    answer = client().responses.create(model=model(dialect), input=[*made.output, *ECHO], store=False)
    # Where messages of one role become one, the simulator echoes more than the last words.
    assert WORDS in answer.output_text, answer.output_text


# Chat completions and their forerunners


@for_each_provider
def a_chat_stream_has_no_usage_that_nobody_asked_for(dialect):
    dialect = dialect if HUB else "chat"
    for options in ({}, {"stream_options": {"include_usage": False}}, {"stream_options": {"include_usage": True}}):
        chunks = list(client(dialect).chat.completions.create(model=model(dialect), messages=ECHO, stream=True, **options))
        wanted = options.get("stream_options", {}).get("include_usage", False)
        equal([len(chunk.choices) for chunk in chunks[-2:]], [1, 0] if wanted else [1, 1], "choices in the last chunks")
        equal([chunk.usage is not None for chunk in chunks], [False] * (len(chunks) - 1) + [wanted], "usage")
        equal(len({chunk.id for chunk in chunks}), 1, "number of ids")
        equal(chunks[0].choices[0].delta.role, "assistant", "role")
        reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
        equal(reasons, ["stop"], "finish reasons")


@for_each_provider
def several_answers_or_an_honest_no(dialect):
    dialect = dialect if HUB else "chat"
    request = {"model": model(dialect), "messages": [{"role": "user", "content": "hello"}], "n": 2}
    answer = client(dialect).chat.completions.create(**request)
    # Only some vendors can.
    expected = [0, 1] if dialect in ("chat", "gemini") else [0]
    assert [choice.index for choice in answer.choices] in (expected, [0]), answer


def on_chat(function):
    test()(function)


@for_each_provider
def a_chat_answer_is_parsed(dialect):
    dialect = dialect if HUB else "chat"
    request = {"messages": [{"role": "user", "content": "How warm is it?"}], "response_format": Weather}
    answer = client(dialect).chat.completions.parse(model=model(dialect), **request)
    assert isinstance(answer.choices[0].message.parsed, Weather), answer


@on_chat
def texts_are_embedded():
    for encoding in ({}, {"encoding_format": "float"}, {"encoding_format": "base64"}, {"dimensions": 8}):
        answer = client("chat").embeddings.create(model=model("chat"), input=["one", "two"], **encoding)
        equal([row.index for row in answer.data], [0, 1], "indexes")
        vector = answer.data[0].embedding
        if encoding.get("encoding_format") != "base64":
            assert all(isinstance(number, float) for number in vector), vector[:3]
        if "dimensions" in encoding:
            equal(len(vector), 8, "dimensions")
        assert answer.usage.prompt_tokens > 0, answer.usage


@on_chat
def a_text_is_completed():
    request = {"model": model("chat"), "prompt": f"echo: {WORDS}", "max_tokens": 50}
    answer = client("chat").completions.create(**request)
    equal((answer.object, answer.choices[0].text, answer.choices[0].finish_reason), ("text_completion", WORDS, "stop"), "answer")
    assert answer.usage.completion_tokens == 6, answer.usage
    stream = client("chat").completions.create(**request, stream=True)
    equal("".join(choice.text for chunk in stream for choice in chunk.choices), WORDS, "stream")


if __name__ == "__main__":
    sys.exit(run())

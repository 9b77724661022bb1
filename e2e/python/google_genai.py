"""Google's client beyond conversations: chats, functions that it calls itself, counts, lists, embeddings."""

import sys
from functools import cache

from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from harness import CONTEXT, DIALECTS, HUB, ORIGIN, equal, raises, run, test

WORDS = "one two three four five six"


class Weather(BaseModel):
    """What an answer is parsed into."""

    city: str
    degrees: int


# The client closes when nobody holds it.
@cache
def client(version=None):
    key = CONTEXT["key"] or CONTEXT["connections"]["on-gemini"]["key"]
    options = types.HttpOptions(base_url=ORIGIN, timeout=10_000, api_version=version)
    return genai.Client(api_key=key, http_options=options)


def model(dialect="gemini"):
    name = CONTEXT["dialects"][dialect]["model"]
    return f"on-{dialect}/{name}" if HUB else name


def for_each_provider(function):
    for dialect in DIALECTS if HUB else ["gemini"]:
        test(name=f"{function.__name__.replace('_', ' ')}, {dialect}")(lambda dialect=dialect: function(dialect))


@for_each_provider
def a_chat_keeps_its_history(dialect):
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="LOW"), system_instruction="Be brief."
    )
    chat = client().chats.create(model=model(dialect), config=config)
    equal(chat.send_message("echo: first").text, "first", "text")
    pieces = [chunk.text or "" for chunk in chat.send_message_stream("echo: second time")]
    equal("".join(pieces), "second time", "stream")
    equal(chat.send_message("echo: third").text, "third", "text after a stream")


@for_each_provider
def the_client_calls_a_function(dialect):
    asked = []

    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return f"sunny in {city}"

    config = types.GenerateContentConfig(tools=[get_weather])
    answer = client().models.generate_content(model=model(dialect), contents="What is the weather like?", config=config)
    equal(len(asked), 1, "calls")
    assert f"sunny in {asked[0]}" in answer.text, answer.text
    text = ""
    for chunk in client().models.generate_content_stream(model=model(dialect), contents="The weather?", config=config):
        text += chunk.text or ""
    equal(len(asked), 2, "calls with the stream")
    assert f"sunny in {asked[1]}" in text, text


@for_each_provider
def an_answer_is_parsed(dialect):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Weather)
    answer = client().models.generate_content(model=model(dialect), contents="How warm is it?", config=config)
    assert isinstance(answer.parsed, Weather), answer.text


@for_each_provider
def a_forced_function_is_called(dialect):
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    declaration = types.FunctionDeclaration(name="get_weather", description="The weather", parameters=schema)
    calling = types.FunctionCallingConfig(mode="ANY", allowed_function_names=["get_weather"])
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declaration])],
        tool_config=types.ToolConfig(function_calling_config=calling),
    )
    answer = client().models.generate_content(model=model(dialect), contents="hello", config=config)
    (call,) = answer.function_calls
    equal((call.name, list(call.args)), ("get_weather", ["city"]), "call")


@for_each_provider
def tokens_are_counted(dialect):
    count = client().models.count_tokens(model=model(dialect), contents=f"echo: {WORDS}")
    assert count.total_tokens > 5, count


@for_each_provider
def both_versions_of_the_paths_work(dialect):
    for version in ("v1", "v1beta"):
        answer = client(version).models.generate_content(model=model(dialect), contents=f"echo: {WORDS}")
        equal(answer.text, WORDS, version)


@for_each_provider
def a_stream_says_who_it_is(dialect):
    chunks = list(client().models.generate_content_stream(model=model(dialect), contents=f"echo: {WORDS}"))
    assert len(chunks) > 1, chunks
    equal(len({chunk.response_id for chunk in chunks}), 1, "number of response ids")
    assert all(chunk.model_version for chunk in chunks), chunks


@test()
def models_are_listed_and_retrieved():
    for version in (None, "v1"):
        seen = [one.name.removeprefix("models/") for one in client(version).models.list()]
        assert set(CONTEXT["models"]) <= set(seen), set(CONTEXT["models"]) - set(seen)
        equal(len(seen), len(set(seen)), "number of different models")
    one = client().models.get(model="plain")
    equal(one.name, "models/plain", "name")
    assert "generateContent" in one.supported_actions, one
    equal(raises(errors.ClientError, lambda: client().models.get(model="plaim")).code, 404, "status")


@test("hub")
def pages_are_turned():
    seen = [one.name for one in client().models.list(config={"page_size": 5})]
    assert len(seen) >= len(CONTEXT["models"]), len(seen)


@test("simulator")
def texts_are_embedded():
    contents = [types.Content(parts=[types.Part(text=text)]) for text in ("one", "two")]
    answer = client().models.embed_content(model=model(), contents=contents)
    equal(len(answer.embeddings), 2, "embeddings")


if __name__ == "__main__":
    sys.exit(run())

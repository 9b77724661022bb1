"""Every golden translation in the eyes of the vendors' own SDKs: each encoded request against the types of its
parameters, each answer and each event of a stream as the SDK's object. Nothing is sent: the requests are what a provider
would get, so they are checked beside the simulator; the answers are what a client would get, beside the hub."""

import json
import sys
from pathlib import Path

import pydantic
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from google.genai import types as google
from harness import run, test
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

GOLDEN = Path(__file__).resolve().parents[2] / "protocols/dialects/golden"

# What the types of an SDK do not have, and the API or other clients of the dialect do.
KNOWN = {
    # A chunk of a free-text tool's call: the SDK's type for chunks knows functions only.
    "streams/responses/custom_and_namespace.chat.sse",
}


class GeminiRequest(pydantic.BaseModel):
    """The body of a request to Gemini, made of the SDK's types."""

    model_config = pydantic.ConfigDict(extra="forbid", alias_generator=pydantic.alias_generators.to_camel, populate_by_name=True)
    contents: list[google.Content]
    system_instruction: google.Content | None = None
    tools: list[google.Tool] | None = None
    tool_config: google.ToolConfig | None = None
    generation_config: google.GenerationConfig | None = None
    safety_settings: list[google.SafetySetting] | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None


REQUESTS = {
    "chat": pydantic.TypeAdapter(CompletionCreateParamsNonStreaming),
    "responses": pydantic.TypeAdapter(ResponseCreateParamsNonStreaming),
    "messages": pydantic.TypeAdapter(MessageCreateParamsNonStreaming),
    "gemini": pydantic.TypeAdapter(GeminiRequest),
}
ANSWERS = {
    "chat": pydantic.TypeAdapter(ChatCompletion),
    "responses": pydantic.TypeAdapter(Response),
    "messages": pydantic.TypeAdapter(Message),
    "gemini": pydantic.TypeAdapter(google.GenerateContentResponse),
}
EVENTS = ANSWERS | {
    "chat": pydantic.TypeAdapter(ChatCompletionChunk),
    "responses": pydantic.TypeAdapter(ResponseStreamEvent),
    "messages": pydantic.TypeAdapter(RawMessageStreamEvent),
}


def request(dialect, text):
    body = json.loads(text)["body"]
    body.pop("stream", None)
    body.pop("stream_options", None)
    for item in body.get("input", []) if dialect == "responses" else []:
        # The type of what the model said before demands what only OpenAI could know of it, and the API does not.
        if item.get("role") == "assistant" and isinstance(item.get("content"), list):
            item.setdefault("id", "msg_1")
            item.setdefault("status", "completed")
    REQUESTS[dialect].validate_python(body)


def answer(dialect, text):
    ANSWERS[dialect].validate_python(json.loads(text)["body"])


def stream(dialect, text):
    seen = 0
    for event in text.split("\n\n"):
        # Not splitlines(), which takes U+2028 within a text for the end of a line.
        data = "\n".join(line[5:].strip() for line in event.split("\n") if line.startswith("data:"))
        if data and data != "[DONE]":
            EVENTS[dialect].validate_python(json.loads(data))
            seen += 1
    assert seen, "there is no event"


def every(kind, where, check):
    paths = sorted((GOLDEN / kind).glob("*/*.*"))
    assert paths, f"there are no golden {kind}"
    for path in paths:
        name = f"{kind}/{path.parent.name}/{path.name}"
        dialect = path.name.rsplit(".", 2)[1]
        if name not in KNOWN:
            test(where, name)(lambda path=path, dialect=dialect: check(dialect, path.read_text()))


every("requests", "simulator", request)
every("answers", "hub", answer)
every("streams", "hub", stream)

if __name__ == "__main__":
    sys.exit(run())

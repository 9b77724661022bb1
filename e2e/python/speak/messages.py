"""Anthropic's client."""

import anthropic

from harness import ASYNC, blocking

from . import DOCUMENT, IMAGE, Call, Said

STOPS = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tools", "refusal": "refusal"}
MOST = 4096
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}}


class Messages:
    dialect = "messages"
    wrong_key = anthropic.AuthenticationError
    unknown_model = anthropic.NotFoundError
    bad_request = anthropic.BadRequestError
    rate_limit = anthropic.RateLimitError
    server_error = anthropic.InternalServerError
    pictured = True
    spoiled = {"extra_body": {"temperature": 9}}

    def __init__(self, origin, key):
        options = {"api_key": key, "base_url": origin, "max_retries": 0, "timeout": 10}
        self.client = blocking(anthropic.AsyncAnthropic(**options)) if ASYNC else anthropic.Anthropic(**options)

    def user(self, text, image=False, document=False):
        blocks = [PICTURE] if image else []
        if document:
            source = {"type": "base64", "media_type": "application/pdf", "data": DOCUMENT}
            blocks.append({"type": "document", "source": source})
        return [{"role": "user", "content": [*blocks, {"type": "text", "text": text}] if blocks else text}]

    def results(self, pairs, image=False):
        def content(text):
            return [{"type": "text", "text": text}, PICTURE] if image else text

        blocks = [{"type": "tool_result", "tool_use_id": call.id, "content": content(text)} for call, text in pairs]
        return [{"role": "user", "content": blocks}]

    def request(
        self, model, history, system=None, tools=(), thinking=False, max_tokens=None, schema=None, search=False, **more
    ):
        request = {"model": model, "messages": history, "max_tokens": max_tokens or MOST, **more}
        if system:
            request["system"] = system
        if tools:
            request["tools"] = [function(tool) for tool in tools]
        if search:
            request["tools"] = [{"type": "web_search_20250305", "name": "web_search"}]
        if thinking:
            request["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if schema:
            request["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return request

    def ask(self, model, history, stream=False, **more):
        request = self.request(model, history, **more)
        if not stream:
            return said(self.client.messages.create(**request))
        with self.client.messages.stream(**request) as events:
            seen = "".join(event.text for event in events if event.type == "text")
            answer = said(events.get_final_message())
        assert answer.text == seen, f"the events said {seen!r}, the answer {answer.text!r}"
        return answer

    def open(self, model, history):
        stream = self.client.messages.create(model=model, messages=history, max_tokens=MOST, stream=True)
        deltas = (event.delta for event in stream if event.type == "content_block_delta")
        return (delta.text for delta in deltas if delta.type == "text_delta"), stream.close

    @staticmethod
    def check_broken(error):
        assert isinstance(error, anthropic.APIStatusError) and error.message, repr(error)
        assert error.body["type"] == "error" and error.body["error"]["message"], error.body

    @staticmethod
    def retry_after(error):
        return int(error.response.headers["retry-after"])


def function(tool):
    """A tool in the dialect's words."""
    return {"name": tool["name"], "description": tool["description"], "input_schema": tool["schema"]}


def said(answer):
    assert (answer.type, answer.role) == ("message", "assistant"), answer
    usage = answer.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Said(
        text="".join(block.text for block in answer.content if block.type == "text"),
        calls=[Call(block.id, block.name, block.input) for block in answer.content if block.type == "tool_use"],
        stop=STOPS[answer.stop_reason],
        usage=(usage.input_tokens + cached, usage.output_tokens),
        thought="".join(block.thinking for block in answer.content if block.type == "thinking"),
        turn=[{"role": "assistant", "content": answer.content}],
    )

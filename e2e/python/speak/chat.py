"""OpenAI's client, chat completions."""

import json

import openai

from harness import ASYNC, blocking

from . import DOCUMENT, IMAGE, Call, Said

STOPS = {"stop": "stop", "length": "length", "tool_calls": "tools", "content_filter": "refusal"}


class Chat:
    dialect = "chat"
    wrong_key = openai.AuthenticationError
    unknown_model = openai.NotFoundError
    bad_request = openai.BadRequestError
    rate_limit = openai.RateLimitError
    server_error = openai.InternalServerError
    pictured = False  # whether a tool's result can be an image
    spoiled = {"temperature": 9}

    def __init__(self, origin, key):
        options = {"api_key": key, "base_url": f"{origin}/v1", "max_retries": 0, "timeout": 10}
        self.client = blocking(openai.AsyncOpenAI(**options)) if ASYNC else openai.OpenAI(**options)

    def user(self, text, image=False, document=False):
        parts = [{"type": "text", "text": text}]
        if image:
            parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}})
        if document:
            data = f"data:application/pdf;base64,{DOCUMENT}"
            parts.append({"type": "file", "file": {"filename": "roads.pdf", "file_data": data}})
        return [{"role": "user", "content": parts if len(parts) > 1 else text}]

    def results(self, pairs):
        return [{"role": "tool", "tool_call_id": call.id, "content": result} for call, result in pairs]

    def request(
        self, model, history, system=None, tools=(), thinking=False, max_tokens=None, schema=None, search=False, **more
    ):
        request = {"model": model, "messages": history, **more}
        if system:
            request["messages"] = [{"role": "system", "content": system}, *history]
        if tools:
            request["tools"] = [function(tool) for tool in tools]
        if search:
            request["web_search_options"] = {}
        if thinking:
            request["reasoning_effort"] = "low"
        if max_tokens:
            request["max_completion_tokens"] = max_tokens
        if schema:
            form = {"name": "answer", "schema": schema, "strict": True}
            request["response_format"] = {"type": "json_schema", "json_schema": form}
        return request

    def ask(self, model, history, stream=False, **more):
        request = self.request(model, history, **more)
        if not stream:
            return said(self.client.chat.completions.create(**request))
        with self.client.chat.completions.stream(**request, stream_options={"include_usage": True}) as events:
            seen = "".join(event.delta for event in events if event.type == "content.delta")
            try:
                answer = events.get_final_completion()
            except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
                # To the client an answer that ends early is none, but it has it.
                answer = events.current_completion_snapshot
            answer = said(answer)
        assert answer.text == seen, f"the events said {seen!r}, the answer {answer.text!r}"
        return answer

    def open(self, model, history):
        """The pieces of a stream, and how to close it."""
        stream = self.client.chat.completions.create(model=model, messages=history, stream=True)
        pieces = (choice.delta.content for chunk in stream for choice in chunk.choices if choice.delta.content)
        return pieces, stream.close

    @staticmethod
    def check_broken(error):
        assert type(error) is openai.APIError and error.message, repr(error)

    @staticmethod
    def retry_after(error):
        return int(error.response.headers["retry-after"])


def function(tool):
    """A tool in the dialect's words."""
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["schema"], "strict": True}
    return {"type": "function", "function": function}


def said(answer):
    (choice,) = answer.choices
    message = choice.message
    assert (answer.object, message.role) == ("chat.completion", "assistant"), answer
    calls = [Call(call.id, call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage
    turn = message.model_dump(exclude_none=True, exclude={"parsed": True})
    for call in turn.get("tool_calls", []):
        call["function"].pop("parsed_arguments", None)
    return Said(
        text=message.content or "",
        calls=calls,
        stop=STOPS[choice.finish_reason],
        usage=(usage.prompt_tokens, usage.completion_tokens),
        thought=getattr(message, "reasoning_content", None) or "",
        turn=[turn],
    )

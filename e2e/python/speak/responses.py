"""OpenAI's client, Responses. Nothing is stored: the history goes back and forth whole."""

import json

import openai

from . import DOCUMENT, IMAGE, Call, Said
from .chat import Chat

PICTURE = {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{IMAGE}"}


class Responses(Chat):
    dialect = "responses"

    pictured = True

    def user(self, text, image=False, document=False):
        parts = [{"type": "input_text", "text": text}]
        if image:
            parts.append(PICTURE)
        if document:
            data = f"data:application/pdf;base64,{DOCUMENT}"
            parts.append({"type": "input_file", "filename": "roads.pdf", "file_data": data})
        return [{"role": "user", "content": parts if len(parts) > 1 else text}]

    def results(self, pairs, image=False):
        def output(text):
            return [{"type": "input_text", "text": text}, PICTURE] if image else text

        return [{"type": "function_call_output", "call_id": call.id, "output": output(text)} for call, text in pairs]

    def request(
        self, model, history, system=None, tools=(), thinking=False, max_tokens=None, schema=None, search=False, **more
    ):
        request = {"model": model, "input": history, "store": False, **more}
        if system:
            request["instructions"] = system
        if tools:
            request["tools"] = [function(tool) for tool in tools]
        if search:
            request["tools"] = [{"type": "web_search"}]
        if thinking:
            request["reasoning"] = {"effort": "low", "summary": "auto"}
            request["include"] = ["reasoning.encrypted_content"]
        if max_tokens:
            request["max_output_tokens"] = max_tokens
        if schema:
            request["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}}
        return request

    def ask(self, model, history, stream=False, **more):
        request = self.request(model, history, **more)
        if not stream:
            return said(self.client.responses.create(**request))
        ended = ("response.completed", "response.incomplete")
        with self.client.responses.stream(**request) as events:
            seen = list(events)
        text = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
        assert seen[0].type == "response.created" and seen[-1].type in ended, [event.type for event in seen]
        numbers = [event.sequence_number for event in seen]
        assert numbers == list(range(len(seen))), f"sequence numbers {numbers}"
        answer = said(seen[-1].response)
        assert answer.text == text, f"the events said {text!r}, the answer {answer.text!r}"
        return answer

    def open(self, model, history):
        stream = self.client.responses.create(model=model, input=history, stream=True, store=False)

        def pieces():
            for event in stream:
                if event.type == "response.failed":
                    raise Failed(event.response.error)
                if event.type == "response.output_text.delta":
                    yield event.delta

        return pieces(), stream.close

    @staticmethod
    def check_broken(error):
        # A failure is an event of this dialect, and `error` one that the client makes an exception of.
        assert type(error) in (Failed, openai.APIError), repr(error)
        if isinstance(error, Failed):
            assert error.args[0].code and error.args[0].message, repr(error)


class Failed(Exception):
    """The stream said that the response failed."""


def function(tool):
    """A tool in the dialect's words."""
    parts = {"name": tool["name"], "description": tool["description"], "parameters": tool["schema"]}
    return {"type": "function", "strict": True, **parts}


def said(answer):
    assert answer.object == "response" and answer.error is None, answer
    calls = [
        Call(item.call_id, item.name, json.loads(item.arguments)) for item in answer.output if item.type == "function_call"
    ]
    thoughts = [part.text for item in answer.output if item.type == "reasoning" for part in item.summary]
    refused = any(
        part.type == "refusal" for item in answer.output if item.type == "message" for part in item.content
    )
    stop = "tools" if calls else "refusal" if refused else "stop"
    if answer.status == "incomplete":
        stop = {"max_output_tokens": "length", "content_filter": "refusal"}[answer.incomplete_details.reason]
    else:
        assert answer.status == "completed", answer
    usage = answer.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens, usage
    return Said(
        text=answer.output_text,
        calls=calls,
        stop=stop,
        usage=(usage.input_tokens, usage.output_tokens),
        thought="".join(thoughts),
        turn=list(answer.output),
    )

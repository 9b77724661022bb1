"""Google's client."""

import asyncio
import base64

from google import genai
from google.genai import errors, types

from harness import ASYNC, LOOP, blocking

from . import DOCUMENT, IMAGE, Call, Said

STOPS = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "refusal", "PROHIBITED_CONTENT": "refusal"}


class Gemini:
    dialect = "gemini"
    wrong_key = errors.ClientError
    unknown_model = errors.ClientError
    bad_request = errors.ClientError
    rate_limit = errors.ClientError
    server_error = errors.ServerError
    pictured = True
    spoiled = {"temperature": 9}

    def __init__(self, origin, key):
        options = types.HttpOptions(base_url=origin, timeout=10_000)
        self.whole = genai.Client(api_key=key, http_options=options)
        self.client = blocking(self.whole.aio) if ASYNC else self.whole

    def user(self, text, image=False, document=False):
        parts = [types.Part.from_text(text=text)]
        if image:
            parts.append(types.Part.from_bytes(data=base64.b64decode(IMAGE), mime_type="image/png"))
        if document:
            parts.append(types.Part.from_bytes(data=base64.b64decode(DOCUMENT), mime_type="application/pdf"))
        return [types.Content(role="user", parts=parts)]

    def results(self, pairs, image=False):
        blob = types.FunctionResponseBlob(mime_type="image/png", data=base64.b64decode(IMAGE))
        pictures = [types.FunctionResponsePart(inline_data=blob)] if image else None
        parts = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"result": result}, parts=pictures
                )
            )
            for call, result in pairs
        ]
        return [types.Content(role="user", parts=parts)]

    def request(
        self, model, history, system=None, tools=(), thinking=False, max_tokens=None, schema=None, search=False, **more
    ):
        config = {"system_instruction": system, "max_output_tokens": max_tokens, **more}
        if tools:
            declarations = [function(tool) for tool in tools]
            config["tools"] = [types.Tool(function_declarations=declarations)]
        if search:
            config["tools"] = [types.Tool(google_search=types.GoogleSearch())]
        if thinking:
            config["thinking_config"] = types.ThinkingConfig(include_thoughts=True, thinking_level="LOW")
        if schema:
            config |= {"response_mime_type": "application/json", "response_json_schema": schema}
        return {"model": model, "contents": history, "config": types.GenerateContentConfig(**config)}

    def ask(self, model, history, stream=False, **more):
        request = self.request(model, history, **more)
        if not stream:
            return said([self.client.models.generate_content(**request)])
        return said(list(self.client.models.generate_content_stream(**request)))

    def open(self, model, history):
        stream = self.client.models.generate_content_stream(model=model, contents=history)
        pieces = (chunk.text for chunk in stream if chunk.text)
        # To leave the async stream does not close it; who cancels what waits for it does.
        return pieces, (lambda: cancelled(stream.unwrapped())) if ASYNC else stream.close

    @staticmethod
    def check_broken(error):
        assert isinstance(error, errors.APIError) and error.message, repr(error)

    @staticmethod
    def retry_after(error):
        # Google itself says it in the body alone.
        details = error.details["error"].get("details", [])
        told = [detail["retryDelay"].removesuffix("s") for detail in details if "retryDelay" in detail]
        return int(float(told[0] if told else error.response.headers["retry-after"]))


def cancelled(stream):
    """Waits for the next chunk, and no longer."""

    async def wait():
        try:
            await asyncio.wait_for(anext(stream), 0.1)
        except TimeoutError:
            return
        raise AssertionError("the stream went on")

    LOOP.run_until_complete(wait())


def function(tool):
    """A tool in the dialect's words."""
    parts = {"name": tool["name"], "description": tool["description"]}
    return types.FunctionDeclaration(parameters_json_schema=tool["schema"], **parts)


def said(chunks):
    contents = [chunk.candidates[0].content for chunk in chunks if chunk.candidates]
    turn = [content for content in contents if content and content.parts]
    parts = [part for content in turn for part in content.parts]
    assert {content.role for content in turn} <= {"model"}, turn
    reasons = [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates]
    reasons = [reason for reason in reasons if reason]
    assert len(reasons) == 1, f"reasons to stop: {reasons}"
    calls = [part.function_call for part in parts if part.function_call]
    usage = chunks[-1].usage_metadata
    thoughts = usage.thoughts_token_count or 0
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count + thoughts, usage
    return Said(
        text="".join(part.text for part in parts if part.text and not part.thought),
        calls=[Call(call.id, call.name, call.args) for call in calls],
        stop="tools" if calls else STOPS[reasons[0].name],
        usage=(usage.prompt_token_count, usage.candidates_token_count + thoughts),
        thought="".join(part.text for part in parts if part.text and part.thought),
        turn=turn,
    )

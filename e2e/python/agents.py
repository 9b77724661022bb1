"""An agent that runs in a loop: two tools in turn, then an answer. pydantic-ai, with every client and every provider."""

import asyncio
import sys
from functools import cache

from pydantic import BaseModel
from pydantic_ai import Agent, ToolReturn
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

from harness import CONTEXT, DIALECTS, HUB, LOOP, ORIGIN, equal, run, test

asyncio.set_event_loop(LOOP)


class Weather(BaseModel):
    """What an agent is to answer."""

    city: str
    degrees: int


@cache
def model(client, provider):
    """The framework's model for a client's dialect."""
    name = CONTEXT["dialects"][provider]["model"]
    name = f"on-{provider}/{name}" if HUB else name
    key = CONTEXT["key"] or CONTEXT["connections"][f"on-{provider}"]["key"]
    if client == "messages":
        return AnthropicModel(name, provider=AnthropicProvider(api_key=key, base_url=ORIGIN))
    if client == "gemini":
        return GoogleModel(name, provider=GoogleProvider(api_key=key, base_url=ORIGIN))
    kind = OpenAIResponsesModel if client == "responses" else OpenAIChatModel
    return kind(name, provider=OpenAIProvider(api_key=key, base_url=CONTEXT["base_url"]))


def traveller(client, provider, **more):
    """An agent with two tools; the first one's result asks for the second."""
    agent = Agent(model(client, provider), instructions="Plan a trip.", **more)
    used = []

    async def once(context, definition):
        return None if "get_weather" in used else definition

    @agent.tool_plain(prepare=once)
    def get_weather(city: str) -> ToolReturn:
        """The weather in a city."""
        used.append("get_weather")
        return ToolReturn(return_value=f"sunny in {city}", content="Now use the other tool.")

    @agent.tool_plain
    def get_train(city: str) -> str:
        """The next train to a city."""
        used.append("get_train")
        return f"a train to {city} at noon"

    return agent, used


def two_tools_and_an_answer(client, provider):
    agent, used = traveller(client, provider)
    result = LOOP.run_until_complete(agent.run("What is the weather like?"))
    equal(used, ["get_weather", "get_train"], "tools")
    assert "at noon" in result.output, result.output
    assert result.usage.requests == 3 and result.usage.output_tokens > 0, result.usage
    # The next run begins where this one ended.
    result = LOOP.run_until_complete(agent.run("echo: all done", message_history=result.all_messages()))
    equal(result.output, "all done", "text")


def the_same_streamed(client, provider):
    agent, used = traveller(client, provider)

    async def stream():
        async with agent.run_stream("What is the weather like?") as run:
            return "".join([piece async for piece in run.stream_text(delta=True)])

    text = LOOP.run_until_complete(stream())
    equal(used, ["get_weather", "get_train"], "tools")
    assert "at noon" in text, text


def an_answer_of_a_type(client, provider):
    agent = Agent(model(client, provider), output_type=Weather)
    output = LOOP.run_until_complete(agent.run("How warm is it?")).output
    assert isinstance(output, Weather), output


def thinking_all_along(client, provider):
    agent, used = traveller(client, provider, model_settings={"thinking": "low"})
    result = LOOP.run_until_complete(agent.run("What is the weather like?"))
    equal(used, ["get_weather", "get_train"], "tools")
    assert "at noon" in result.output, result.output


def another_client_goes_on(client, provider):
    """The framework takes what one vendor's client said to another's."""
    other = DIALECTS[(DIALECTS.index(client) + 1) % len(DIALECTS)]
    agent, _ = traveller(client, provider, model_settings={"thinking": "low"})
    result = LOOP.run_until_complete(agent.run("What is the weather like?"))
    history = result.all_messages()
    answer = LOOP.run_until_complete(agent.run("echo: on", message_history=history, model=model(other, other)))
    equal(answer.output, "on", f"text by {other}")
    answer = LOOP.run_until_complete(agent.run("echo: back", message_history=answer.all_messages()))
    equal(answer.output, "back", "text")


TALKS = [two_tools_and_an_answer, the_same_streamed, an_answer_of_a_type, thinking_all_along, another_client_goes_on]

for client in DIALECTS:
    for provider in DIALECTS if HUB else [client]:
        for function in TALKS:
            what = f"{client} to {provider}, {function.__name__.replace('_', ' ')}"
            test(name=what)(lambda function=function, client=client, provider=provider: function(client, provider))


if __name__ == "__main__":
    sys.exit(run())

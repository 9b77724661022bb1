"""The official Python client against a hub: it lists and calls every tool, and checks what comes back against the tool's schema.

    client.py CLIENT TRANSPORT    with E2E_MCP: {url, key, calls}
"""

import asyncio
import json
import os
import sys

import httpx2
import jsonschema
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

CONTEXT = json.loads(os.environ["E2E_MCP"])


def text_of(result):
    return "".join(getattr(block, "text", "") for block in result.content)


def complaint(tool, call, result):
    """What is wrong with a call's result, if anything."""
    if call["refused"]:
        return None if result.is_error and text_of(result) else "it should have been refused"
    if result.is_error:
        return text_of(result)
    errors = jsonschema.Draft202012Validator(tool.output_schema).iter_errors(result.structured_content)
    return "; ".join(error.message for error in errors)


async def every_tool(client):
    tools, cursor = {}, None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if cursor is None:
            return tools


async def main(mode, transport):
    if transport != "http":
        sys.exit(f"no transport {transport} here")
    headers = {"authorization": f"Bearer {CONTEXT['key']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=30, trust_env=False) as web:
        async with Client(streamable_http_client(f"{CONTEXT['url']}/mcp", http_client=web), mode=mode) as client:
            tools = await every_tool(client)
            assert sorted(tools) == sorted(call["tool"] for call in CONTEXT["calls"]), "the tools are the operations"
            failed = []
            for call in CONTEXT["calls"]:
                tool = tools[call["tool"]]
                confirmed = {"confirm": True} if "confirm" in tool.input_schema.get("properties", {}) else {}
                result = await client.call_tool(tool.name, call["arguments"] | confirmed)
                wrong = complaint(tool, call, result)
                if wrong:
                    failed.append(f"{tool.name}: {wrong}")
    if failed:
        sys.exit("\n".join(failed))
    print(f"{len(CONTEXT['calls'])} tools")


asyncio.run(main(*sys.argv[1:]))

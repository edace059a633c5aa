"""The official MCP client, 1.x or 2.x, does one thing with a server and prints what came of it as JSON.

    mcp_client.py list|call|approve|cancel TOOL INPUT PROGRAM [ARGUMENT…]
    mcp_client.py list|call|approve|cancel TOOL INPUT http://… TOKEN
"""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

try:
    import httpx2 as http_library
    from mcp.client.client import Client
except ImportError:
    import httpx as http_library

    Client = None

action, tool, text, *target = sys.argv[1:]
seen = {"progress": [], "asked": []}
begun = asyncio.Event()


async def on_progress(progress, total, message):
    seen["progress"].append([progress, message])
    begun.set()


async def on_question(context, params):
    seen["asked"].append(params.message)
    return types.ElicitResult(action="accept", content={"decision": "approve"})


async def transport(stack):
    if target[0].startswith("http"):
        headers = {"Authorization": f"Bearer {target[1]}"}
        http = await stack.enter_async_context(
            http_library.AsyncClient(headers=headers, timeout=60)
        )
        return streamable_http_client(target[0], http_client=http)
    return stdio_client(
        StdioServerParameters(command=target[0], args=target[1:], env=dict(os.environ))
    )


async def main():
    async with AsyncExitStack() as stack:
        ways = await transport(stack)
        asks = on_question if action == "approve" else None
        if Client:
            client = await stack.enter_async_context(Client(ways, elicitation_callback=asks))
            seen["revision"] = client.protocol_version
        else:
            streams = await stack.enter_async_context(ways)
            client = await stack.enter_async_context(
                ClientSession(streams[0], streams[1], elicitation_callback=asks)
            )
            seen["revision"] = str((await client.initialize()).protocolVersion)
        if action != "list":
            call = asyncio.create_task(
                client.call_tool(tool, {"input": text}, progress_callback=on_progress)
            )
            if action == "cancel":
                await begun.wait()
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)
            else:
                seen["result"] = (await call).model_dump(by_alias=True, mode="json")
        seen["tools"] = [one.name for one in (await client.list_tools()).tools]
    print(json.dumps(seen))


asyncio.run(main())

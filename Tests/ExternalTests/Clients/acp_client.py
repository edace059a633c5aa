"""The official ACP client has one conversation with an agent and prints what came of it as JSON.

    acp_client.py prompt|approve|cancel|load INPUT PROGRAM [ARGUMENT…]
"""

import asyncio
import json
import os
import sys

from acp import PROTOCOL_VERSION, spawn_agent_process, text_block
from acp.schema import AllowedOutcome, ClientCapabilities, DeniedOutcome, RequestPermissionResponse

action, text, program, *arguments = sys.argv[1:]
seen = {"updates": [], "asked": []}
begun = asyncio.Event()


class Editor:
    def on_connect(self, connection):
        pass

    async def session_update(self, session_id, update, **more):
        seen["updates"].append(update.model_dump(by_alias=True, mode="json", exclude_none=True))
        if update.session_update == "agent_message_chunk":
            begun.set()

    async def request_permission(self, session_id, tool_call, options, **more):
        seen["asked"].append(tool_call.title)
        chosen = [one.option_id for one in options if one.kind == "allow_once"]
        if not chosen:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(
            outcome=AllowedOutcome(outcome="selected", option_id=chosen[0])
        )


async def main():
    async with spawn_agent_process(
        Editor(), program, *arguments, env=dict(os.environ), cwd=os.getcwd()
    ) as (agent, process):
        await agent.initialize(
            protocol_version=PROTOCOL_VERSION, client_capabilities=ClientCapabilities()
        )
        session = await agent.new_session(cwd=os.getcwd(), mcp_servers=[])
        seen["options"] = len(session.config_options or [])
        prompt = asyncio.create_task(
            agent.prompt(session_id=session.session_id, prompt=[text_block(text)])
        )
        if action == "cancel":
            await begun.wait()
            await agent.cancel(session_id=session.session_id)
        seen["stop"] = (await prompt).stop_reason
        if action == "load":
            seen["updates"] = []
            await agent.load_session(
                cwd=os.getcwd(), session_id=session.session_id, mcp_servers=[]
            )
        # Notifications are handled in tasks of their own, and may come after the answer.
        await asyncio.sleep(0)
    print(json.dumps(seen))


asyncio.run(main())

import asyncio
import os
from collections.abc import Callable

os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"

from crewai import Agent, BaseLLM
from crewai.flow.flow import Flow, and_, listen, start
from pydantic import BaseModel
from source import LINE, look_up


class Scripted(BaseLLM):
    def call(self, messages, *args, **kwargs) -> str:
        return f"Thought: I know it.\nFinal Answer: {LINE}"


writer = Agent(
    role="Writer",
    goal="Write one line from the facts",
    backstory="You write short lines.",
    # In your program: llm="gpt-5-mini"
    llm=Scripted(model="scripted"),
)


async def again(look: Callable[[str], str], topic: str) -> str:
    try:
        return look(topic)
    except ConnectionError:
        # A flow's method is not retried by itself.
        return look(topic)


class Facts(BaseModel):
    bees: str = ""
    ants: str = ""


class Line(Flow[Facts]):
    @start()
    async def find_bees(self) -> None:
        self.state.bees = await again(look_up, "bees")

    @start()
    async def find_ants(self) -> None:
        self.state.ants = await again(look_up, "ants")

    @listen(and_(find_bees, find_ants))
    async def write(self) -> str:
        facts = f"{self.state.bees} {self.state.ants}"
        prompt = f"Write one line from the facts: {facts}"
        return (await writer.kickoff_async(prompt)).raw


print(asyncio.run(Line().kickoff_async()))

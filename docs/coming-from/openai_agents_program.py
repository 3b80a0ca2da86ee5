import asyncio
import os

os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "true"

from agents import Agent, Runner
from agents.testing import ScriptedModel, assistant_message
from source import LINE, look_up

writer = Agent(
    name="Writer",
    instructions="Write one line from the facts.",
    # In your program: model="gpt-5-mini"
    model=ScriptedModel([[assistant_message(LINE)]]),
)


async def research(topic: str) -> str:
    try:
        return await asyncio.to_thread(look_up, topic)
    except ConnectionError:
        # What is not a call of the model is retried by your own code.
        return await asyncio.to_thread(look_up, topic)


async def main() -> None:
    facts = await asyncio.gather(research("bees"), research("ants"))
    result = await Runner.run(writer, f"Facts: {' '.join(facts)}")
    print(result.final_output)


asyncio.run(main())

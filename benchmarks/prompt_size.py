"""Tokens of the last task's prompt as a run grows: `python -m benchmarks.prompt_size`.

Prompt agents with declared inputs, the real path, a scripted model that keeps what it is asked; tiktoken counts. The
last task needs the task before it (chain), or three tasks in the middle of the run (wide). What grows with the run is
shown beside it: a transcript of all outputs before the last task, as group-chat frameworks send it.
"""

import asyncio

from agentorch import Agent, Orchestrator, Plan, Policy
from agentorch.ports.model import ModelRequest
from agentorch.testing import ScriptedModel
from agentorch.tokens import count, load
from benchmarks.measurement import Measurement, parser_of, show

SIZES = (10, 100, 1_000)
MODEL = "gpt-5-mini"
SAID = "The report shows that the water rose high above the stone bank in spring. " * 4
"""What each task gives."""


def tokens(request: ModelRequest) -> int:
    """Return the tokens of all that a request sends."""
    texts = [message.content for message in request.messages]
    texts += [f"{tool.name} {tool.description} {tool.parameters}" for tool in request.tools]
    texts += [str(request.output.schema)] if request.output is not None else []
    return sum(count(text, MODEL).tokens for text in texts)


def plan_of(shape: str, size: int, agent: Agent) -> Plan:
    """Return a plan of so many tasks, whose last one is alike in all of them but for what it needs."""
    plan = Plan("a long report", answer="$last")
    for number in range(size - 1):
        before = f"${_id(number - 1)}" if number and shape == "chain" else "nothing yet"
        plan.add(_id(number), agent=agent, objective="Go on with the report.", inputs={"text": before})
    places = [size - 2] if shape == "chain" else [size // 2 - 1, size // 2, size // 2 + 1]
    inputs = {f"part_{place}": f"${_id(number)}" for place, number in enumerate(places)}
    plan.add("last", agent=agent, objective="End the report.", inputs=inputs)
    return plan


def _id(number: int) -> str:
    return f"step{number:04}"


async def last_prompt(shape: str, size: int) -> tuple[int, int]:
    """Return the tokens of the last task's prompt, and of a transcript of the outputs before it."""
    agent = Agent("writer", description="Writes a report.", prompt="Write in plain words.")
    model = ScriptedModel(SAID)
    async with Orchestrator([agent], model=model, policy=Policy(parallel=32)) as orchestrator:
        (await orchestrator.run(plan_of(shape, size, agent))).raise_for_problems()
    (last,) = [request for request in model.requests if request.labels["task"] == "last"]
    if SAID.strip() not in last.messages[-1].content:
        raise AssertionError("the last task does not see what it needs")
    return tokens(last), count("\n".join([SAID] * (size - 1)), MODEL).tokens


async def measure(sizes: tuple[int, ...] = SIZES) -> list[Measurement]:
    """Return the figures."""
    load(MODEL)
    found: list[Measurement] = []
    transcripts: dict[int, int] = {}
    for shape in ("chain", "wide"):
        prompts: list[int] = []
        for size in sizes:
            prompt, transcripts[size] = await last_prompt(shape, size)
            prompts.append(prompt)
            found.append(Measurement(f"prompt of the last of {size:,} tasks, {shape}", prompt, "tokens"))
        growth = max(prompts) / min(prompts)
        found.append(Measurement(f"growth from {sizes[0]:,} to {sizes[-1]:,} tasks, {shape}", growth, "x", goal=1.0))
    found += [
        Measurement(f"a transcript of {size:,} tasks", transcript, "tokens") for size, transcript in transcripts.items()
    ]
    return found


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    options = parser.parse_args()
    show(asyncio.run(measure(tuple(options.sizes))), as_json=options.json)


if __name__ == "__main__":
    main()

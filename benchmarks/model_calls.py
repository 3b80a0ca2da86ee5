"""What agentorch adds to 200 model calls of 2 s at once: `python -m benchmarks.model_calls`.

The server is a process of its own and the `openai` client the real one; agentorch and a plain `asyncio.gather` of the
same requests take turns in one process, each with its own client and warm connections. Wall time, and CPU time of this
process by task. agentorch's governor is told the provider's limits; with `--untold` one that knows nothing is measured
too, once: it begins with four calls at a time, and lets 32 be under way by default.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import openai

from agentorch import Agent, Orchestrator, Plan, Policy
from agentorch.models import GovernedModel, Governor, Limits, OpenAIModel
from agentorch.tokens import count, load
from benchmarks.measurement import Measurement, parser_of, several, show
from benchmarks.model_server import Saying, serving

CALLS = 200
SECONDS = 2.0
REPEATS = 7
MODEL = "gpt-5-mini"
WORDS = "An answer in a few words, as a model gives it."


@dataclass
class Taken:
    """What one way has taken, by repeat."""

    wall: list[float] = field(default_factory=list[float])
    """Seconds."""
    processor: list[float] = field(default_factory=list[float])
    """Microseconds a call."""


async def measure(
    calls: int = CALLS, seconds: float = SECONDS, repeats: int = REPEATS, *, untold: bool = False
) -> list[Measurement]:
    """Return the figures."""
    load(MODEL)
    with serving(Saying((WORDS,), latency=seconds)) as url:
        governor = Governor(url, Limits(concurrency=calls, requests_per_minute=1_000_000))
        model = GovernedModel(OpenAIModel(MODEL, base_url=url, count=count, traffic=governor), governor)
        agent = Agent("answerer", description="Answers.", prompt="Answer in a few words.")
        plan = Plan("many calls", answer="$t0")
        for number in range(calls):
            plan.add(f"t{number}", agent=agent, inputs={"question": f"What is {number}?"})
        orchestrator = Orchestrator([agent], model=model, policy=Policy(parallel=calls))
        async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client, orchestrator:
            messages = await _messages(agent)

            async def ours() -> None:
                outcome = await orchestrator.run(plan)
                outcome.raise_for_problems()
                assert [*outcome.outputs.values()] == [WORDS] * calls

            async def streamed() -> None:
                assert await asyncio.gather(*(_streamed(client, messages) for _ in range(calls))) == [WORDS] * calls

            async def whole() -> None:
                assert await asyncio.gather(*(_whole(client, messages) for _ in range(calls))) == [WORDS] * calls

            taken = await _in_turns([streamed, ours, whole], calls, repeats)
        await model.close()
        return [*_figures(*taken), *([await _untold(url, plan, agent, calls)] if untold else [])]


async def _untold(url: str, plan: Plan, agent: Agent, calls: int) -> Measurement:
    """Return the wall time with a governor that knows nothing of its provider, as a name in `model=` gives it."""
    governor = Governor(url)
    model = GovernedModel(OpenAIModel(MODEL, base_url=url, count=count, traffic=governor), governor)
    async with Orchestrator([agent], model=model, policy=Policy(parallel=calls)) as orchestrator:
        before = time.perf_counter()
        (await orchestrator.run(plan)).raise_for_problems()
        wall = time.perf_counter() - before
    await model.close()
    return Measurement("wall, agentorch, governor untold", wall, "s")


async def _messages(agent: Agent) -> list[Any]:
    """Return what agentorch sends for one task, so that the bare client sends the same."""
    from agentorch.testing import ScriptedModel

    model = ScriptedModel("Yes.")
    plan = Plan("one call", answer="$t0")
    plan.add("t0", agent=agent, inputs={"question": "What is 100?"})
    (await Orchestrator([agent], model=model).run(plan)).raise_for_problems()
    return [{"role": message.role, "content": message.content} for message in model.requests[0].messages]


async def _streamed(client: openai.AsyncOpenAI, messages: list[Any]) -> str:
    text = ""
    async with await client.chat.completions.create(
        model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
    ) as stream:
        async for chunk in stream:
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
    return text


async def _whole(client: openai.AsyncOpenAI, messages: list[Any]) -> str:
    answer = await client.chat.completions.create(model=MODEL, messages=messages)
    return answer.choices[0].message.content or ""


async def _in_turns(ways: list[Callable[[], Awaitable[None]]], calls: int, repeats: int) -> list[Taken]:
    """Measure the ways one after the other, again and again; the first time, which connects, does not count."""
    taken = [Taken() for _ in ways]
    for repeat in range(repeats + 1):
        for way, kept in zip(ways, taken, strict=True):
            gc.collect()
            wall, processor = time.perf_counter(), time.process_time()
            await way()
            if repeat:
                kept.processor.append((time.process_time() - processor) / calls * 1e6)
                kept.wall.append(time.perf_counter() - wall)
    return taken


def _figures(bare: Taken, ours: Taken, whole: Taken) -> list[Measurement]:
    more = [(mine / theirs - 1) * 100 for mine, theirs in zip(ours.wall, bare.wall, strict=True)]
    added = [mine - theirs for mine, theirs in zip(ours.processor, bare.processor, strict=True)]
    return [
        several("wall, bare client, streamed", bare.wall, "s"),
        several("wall, agentorch", ours.wall, "s"),
        several("wall, agentorch over the bare client", more, "%", goal=1.0),
        several("CPU a call, bare client, streamed", bare.processor, "us"),
        several("CPU a call, agentorch", ours.processor, "us"),
        several("CPU a task on top of the bare client's", added, "us", goal=150.0),
        several("wall, bare client, not streamed", whole.wall, "s"),
        several("CPU a call, bare client, not streamed", whole.processor, "us"),
    ]


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each call takes")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--untold", action="store_true", help="also with a governor that is told no limits")
    options = parser.parse_args()
    found = measure(options.calls, options.seconds, options.repeats, untold=options.untold)
    show(asyncio.run(found), as_json=options.json)


if __name__ == "__main__":
    main()

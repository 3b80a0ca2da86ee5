"""Fifty agents that stream 1,000 tokens a second together, to one reader: `python -m benchmarks.streaming`.

The server is a process of its own and the `openai` client the real one. Each token says when the server has sent it, by
the clock that processes share. Measured are this process's share of a core, agents and reader together, and the lag
from a token's sending to `run.events(deltas=True)` giving it; beside the same tokens read with the bare client.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import openai

from agentorch import Agent, Orchestrator, Plan, Policy
from agentorch.messages.work import TextDelta
from agentorch.models import GovernedModel, Governor, Limits, OpenAIModel
from agentorch.tokens import count, load
from benchmarks.measurement import Measurement, parser_of, percentile, several, show
from benchmarks.model_server import NOW, Saying, serving

AGENTS = 50
RATE = 20
"""Tokens a second, of each."""
SECONDS = 5.0
"""How long each streams."""
REPEATS = 5
LATENCY = 1.0
"""Seconds before the first token: by then all have asked, and asking is not measured."""
MODEL = "gpt-5-mini"


@dataclass
class Watch:
    """One reading: it begins with the first token and ends with the last."""

    lags: list[float] = field(default_factory=list[float])
    """Milliseconds."""
    marks: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """Wall and processor time at each token."""

    def read(self, token: str) -> None:
        """Take note of a token."""
        now = time.monotonic()
        self.lags.append((now - float(token)) * 1e3)
        self.marks.append((now, time.process_time()))

    @property
    def share(self) -> float:
        """Percent of a core."""
        (wall, processor), (wall_end, processor_end) = self.marks[0], self.marks[-1]
        return (processor_end - processor) / (wall_end - wall) * 100


async def measure(seconds: float = SECONDS, repeats: int = REPEATS) -> list[Measurement]:
    """Return the figures."""
    load(MODEL)
    tokens = int(seconds * RATE)
    saying = Saying([f"{NOW} "] * tokens, latency=LATENCY, delay=1 / RATE, spread=True)
    with serving(saying) as url:
        governor = Governor(url, Limits(concurrency=AGENTS, requests_per_minute=1_000_000))
        model = GovernedModel(OpenAIModel(MODEL, base_url=url, count=count, traffic=governor), governor)
        agent = Agent("speaker", description="Speaks.", prompt="Speak.")
        plan = Plan("speeches", answer="$t0")
        for number in range(AGENTS):
            plan.add(f"t{number}", agent=agent, inputs={"about": number})
        orchestrator = Orchestrator([agent], model=model, policy=Policy(parallel=AGENTS))
        async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client, orchestrator:

            async def ours(watch: Watch) -> None:
                async with orchestrator.start(plan) as run:
                    async for event in run.events(deltas=True):
                        if isinstance(event, TextDelta):
                            watch.read(event.text)
                    (await run.outcome()).raise_for_problems()

            async def bare(watch: Watch) -> None:
                await asyncio.gather(*(_speech(client, watch) for _ in range(AGENTS)))

            theirs, mine = await _in_turns([bare, ours], repeats, tokens=tokens * AGENTS)
        await model.close()
    floors = _figures("bare client", theirs)
    return [*floors, *_figures("agentorch", mine, goals=(20.0, 50.0), floors=[floor.value for floor in floors])]


async def _speech(client: openai.AsyncOpenAI, watch: Watch) -> None:
    async with await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Speak."}], stream=True
    ) as stream:
        async for chunk in stream:
            for choice in chunk.choices:
                if choice.delta.content:
                    watch.read(choice.delta.content)


async def _in_turns(ways: list[Callable[[Watch], Awaitable[None]]], repeats: int, *, tokens: int) -> list[list[Watch]]:
    """Measure the ways one after the other, again and again; the first time, which connects, does not count."""
    watches: list[list[Watch]] = [[] for _ in ways]
    for repeat in range(repeats + 1):
        for way, kept in zip(ways, watches, strict=True):
            gc.collect()
            watch = Watch()
            await way(watch)
            if len(watch.lags) != tokens:
                raise AssertionError(f"{len(watch.lags)} of {tokens} tokens were read")
            if repeat:
                kept.append(watch)
    return watches


def _figures(
    name: str,
    watches: list[Watch],
    *,
    goals: tuple[float | None, float | None] = (None, None),
    floors: Sequence[float | None] = (None, None, None),
) -> list[Measurement]:
    """Return what came of some repeats; `floors` are the same figures of what does nothing else."""
    share, lag = goals
    cpu, _, late = floors
    return [
        several(f"CPU, {name}", [watch.share for watch in watches], "% of core", goal=share, floor=cpu),
        several(f"lag p50, {name}", [statistics.median(watch.lags) for watch in watches], "ms"),
        several(f"lag p99, {name}", [percentile(watch.lags, 0.99) for watch in watches], "ms", goal=lag, floor=late),
    ]


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each agent streams")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    show(asyncio.run(measure(options.seconds, options.repeats)), as_json=options.json)


if __name__ == "__main__":
    main()

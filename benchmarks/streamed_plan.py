"""From the first complete task of a plan that a model streams to its body: `python -m benchmarks.streamed_plan`.

The server is a process of its own, the `openai` client the real one, and the plan goes the whole way: acceptance, the
journal, dispatch. The piece that completes a task says in the task's own inputs when it was sent, by the clock that
processes share; its agent looks at the clock when it begins. Beside it, when the bare client gives that piece.
"""

import asyncio
import json
import tempfile
import time
from pathlib import Path

import openai

from agentorch import Orchestrator, agent
from agentorch.models import GovernedModel, Governor, Limits, OpenAIModel
from agentorch.tokens import count, load
from benchmarks.measurement import Measurement, parser_of, several, show
from benchmarks.model_server import NOW, Saying, serving

TASKS = 5
DELAY = 0.02
"""Seconds from one piece of the plan to the next."""
REPEATS = 21
MODEL = "gpt-5-mini"
JOURNALS = {"in memory": None, "SQLite FULL": "runs.db"}


def pieces() -> list[str]:
    """Return a plan as a model streams it, each task in four pieces; the last one completes it, with its time in it."""
    found = ['{"tasks": [']
    for number in range(TASKS):
        begun = ", " if number else ""
        words = json.dumps(f"Take the time, the {number + 1}. time")
        found += [
            f'{begun}{{"id": "t{number}", ',
            '"agent": "clock", "objective": ',
            f'{words}, "needs": [], "inputs": ',
            f'[{{"name": "sent", "value": {NOW}}}]}}',
        ]
    return [*found, f'], "answer": "$t{TASKS - 1}"}}']


async def measure(repeats: int = REPEATS) -> list[Measurement]:
    """Return the figures."""
    load(MODEL)
    found: list[Measurement] = []
    with serving(Saying(pieces(), delay=DELAY)) as url:
        async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:
            bare = [await _received(client) for _ in range(repeats + 1)][1:]
        found.append(several("task complete to its piece read, bare client", bare, "ms"))
        for name, file in JOURNALS.items():
            with tempfile.TemporaryDirectory() as folder:
                lags = await _dispatched(url, None if file is None else Path(folder) / file, repeats)
            goal = 5.0 if file is None else None
            found.append(several(f"task complete to its body begun, journal {name}", lags, "ms", goal=goal))
    return found


async def _received(client: openai.AsyncOpenAI) -> float:
    """Return the milliseconds from the first complete task's sending to its piece."""
    lag = None
    async with await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Plan."}], stream=True
    ) as stream:
        async for chunk in stream:
            text = "".join(choice.delta.content or "" for choice in chunk.choices)
            if lag is None and '"sent"' in text:
                now = time.monotonic()
                lag = (now - _value(text)) * 1e3
    assert lag is not None
    return lag


def _value(text: str) -> float:
    return float(text.partition('"value": ')[2].partition("}")[0])


async def _dispatched(url: str, journal: Path | None, repeats: int) -> list[float]:
    """Return the milliseconds from the first complete task's sending to its body, by run."""
    lags: list[float] = []

    @agent(description="Takes the time.")
    async def clock(sent: float) -> float:
        lag = (time.monotonic() - sent) * 1e3
        lags.append(lag)
        return lag

    governor = Governor(url, Limits(requests_per_minute=1_000_000))
    model = GovernedModel(OpenAIModel(MODEL, base_url=url, count=count, traffic=governor), governor)
    first: list[float] = []
    async with Orchestrator([clock], model=model, journal=journal) as orchestrator:
        for _ in range(repeats + 1):  # the first time, which connects, does not count
            lags.clear()
            outcome = await orchestrator.run("Take the time, five times.")
            outcome.raise_for_problems()
            assert len(outcome.outputs) == TASKS, f"the plan that was carried out is another: {outcome.outputs}"
            first.append(lags[0])
    await model.close()
    return first[1:]


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    show(asyncio.run(measure(options.repeats)), as_json=options.json)


if __name__ == "__main__":
    main()

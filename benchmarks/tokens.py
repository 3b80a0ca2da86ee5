"""Tokens sent when each agent sees its declared inputs alone, over those of a full transcript.

    python -m benchmarks.tokens [--data FOLDER] [--limit N]

Recorded plans and DAGs go the real way: prompt agents, and a scripted model whose answers have a seeded length and a
fact of their own somewhere in them. Beside it is what a group chat sends for the same plan: the same system message and
task, and before it all that was asked and answered, in the order of the plan. Counted by tiktoken. Every fact of every
declared input is looked for in the prompt; inputs beyond the budget of a prompt (24,000 tokens) stand there in part,
with a tool to read on.

The goals stand on the plans. Recorded DAGs are no plans for agents: they are told without a goal, and their fan-ins of
hundreds of answers go beyond that budget. A transcript is read in three ways: with all that agentorch says to an agent
(the goal); with nothing said to it on either side; and with the agent's own prompt alone, as a chat may do that says
nothing of what is material and what is an instruction.
"""

import asyncio
import gzip
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentorch import Agent, Orchestrator, Plan, Policy
from agentorch.ports.model import ModelRequest
from agentorch.testing import ScriptedModel
from agentorch.tokens import count, load
from benchmarks.measurement import Measurement, absent, parser_of, show
from benchmarks.recorded import DATA, missing

PLANS = "gold plans"
"""The set that has goals."""
SETS = {
    PLANS: "plans_gold_worfbench_half.jsonl.gz",
    "DAGs, dagbench": "dags_dagbench.jsonl.gz",
    "DAGs, estee": "dags_estee.jsonl.gz",
}
MODEL = "gpt-5-mini"
PROMPT = "Do your task with what you are given."
SENTENCES = (
    "The supplier confirmed the delivery for the second week of March, with a reserve of two days.",
    "Compared with last year, costs fell by four percent, mostly because of cheaper freight.",
    "Two of the five sources disagree on the date; the older one cites a letter that is lost.",
    "It is worth checking whether the licence covers use outside of the country.",
    "The function returns None where the key is missing, which the caller does not expect.",
    "Visitors praised the light and the staff, and complained of the queue at the entrance.",
)
SENTENCES_EACH = 12
"""Median of the sentences of an answer: about 220 tokens."""
SPREAD = 0.6
"""Of the logarithm of an answer's length."""


@dataclass(frozen=True)
class Step:
    """One task of a recorded plan."""

    id: str
    objective: str
    needs: tuple[str, ...]
    fact: str
    answer: str


@dataclass
class Sent:
    """What was sent for a set of plans."""

    plans: int = 0
    failed: int = 0
    """Plans that were not carried out to the end; nothing else is counted of them."""
    tasks: int = 0
    instructions: int = 0
    """Tokens of the system messages as agentorch has sent them."""
    prompts: int = 0
    """Tokens of what the agents' own prompts have of these."""
    declared: int = 0
    """Tokens of the tasks with their declared inputs."""
    transcript: int = 0
    """Tokens of the same tasks, each with a transcript in the place of the inputs."""
    facts: int = 0
    """Of declared inputs, each with one."""
    in_part: int = 0
    """Facts behind the place where a prompt shows an input in part, with a tool to read on."""
    lost: int = 0
    """Facts of which a prompt shows nothing, and no way to them."""


def recorded(file: Path) -> Iterator[list[Step]]:
    """Yield the plans of a file, each in an order in which it can be carried out."""
    chooser = random.Random(7)
    with gzip.open(file, "rt") as lines:
        for line in lines:
            raw = json.loads(line)
            if not raw.get("issues"):
                yield _ordered(list(_steps(raw, chooser)))


def _steps(raw: dict[str, Any], chooser: random.Random) -> Iterator[Step]:
    if "deps" in raw:
        ids = list(range(len(raw["deps"])))
        words = [f"Do step {id} of {raw['name']}." for id in ids]
        needs = dict(zip(ids, raw["deps"], strict=True))
    else:
        ids, words = raw["ids"], raw["nodes"]
        needs = {id: [before for before, after in raw["edges"] if after == id] for id in ids}
    for id, objective in zip(ids, words, strict=True):
        fact = f"{chooser.getrandbits(32):08x}"
        length = max(1, round(SENTENCES_EACH * math.exp(chooser.gauss(0, SPREAD))))
        said = chooser.choices(SENTENCES, k=length)
        said.insert(chooser.randrange(length + 1), f"The reference number is {fact}.")
        yield Step(f"t{id}", objective, tuple(f"t{need}" for need in sorted(set(needs[id]))), fact, " ".join(said))


def _ordered(steps: list[Step]) -> list[Step]:
    """Return the steps with each behind those that it needs, else as they were written."""
    done: dict[str, Step] = {}
    while len(done) < len(steps):
        ready = [step for step in steps if step.id not in done and all(need in done for need in step.needs)]
        done |= {step.id: step for step in ready}
    return list(done.values())


def plan_of(steps: list[Step], agent: Agent) -> Plan:
    """Return the plan, in which each task declares the outputs that it needs."""
    plan = Plan("a recorded plan", answer=f"${steps[-1].id}")
    for step in steps:
        plan.add(step.id, agent=agent, objective=step.objective, inputs={need: f"${need}" for need in step.needs})
    return plan


class Sender:
    """Carries plans out, one after the other, and counts what was sent."""

    def __init__(self) -> None:
        self.agent = Agent("worker", description="Does one step.", prompt=PROMPT)
        self.steps: dict[str, Step] = {}
        self.model = ScriptedModel(self._answer)
        policy = Policy(parallel=32, replans=0, attempts=1)
        self.orchestrator = Orchestrator([self.agent], model=self.model, policy=policy)

    def _answer(self, request: ModelRequest) -> str:
        step = self.steps.get(request.labels.get("task", ""))
        return "Some of it is missing." if step is None else step.answer

    async def send(self, steps: list[Step], sent: Sent) -> None:
        """Carry one plan out, and add it to what was sent."""
        self.steps = {step.id: step for step in steps}
        self.model.requests.clear()
        await self.orchestrator.run(plan_of(steps, self.agent))
        requests = {request.labels.get("task"): request for request in self.model.requests}
        if any(step.id not in requests for step in steps):
            sent.failed += 1
            return
        sent.plans += 1
        so_far = 0
        for step in steps:
            request = requests[step.id]
            system, task = (message.content for message in request.messages)
            sent.tasks += 1
            sent.instructions += _tokens(system)
            sent.prompts += _tokens(PROMPT)
            sent.declared += _tokens(task)
            sent.transcript += _tokens(step.objective) + so_far
            sent.facts += len(step.needs)
            hidden = sum(self.steps[need].fact not in task for need in step.needs)
            if any(tool.name == "read_input" for tool in request.tools):
                sent.in_part += hidden
            else:
                sent.lost += hidden
            so_far += _tokens(f"{step.objective}\n{step.id}: {step.answer}\n")


def _tokens(text: str) -> int:
    return count(text, MODEL).tokens


async def measure(data: Path = DATA, limit: int | None = None) -> list[Measurement]:
    """Return the figures; the only one says why, where there is no data."""
    if (words := missing(data)) is not None:
        return absent("tokens of recorded plans", words)
    load(MODEL)
    found: list[Measurement] = []
    sender = Sender()
    async with sender.orchestrator:
        for name, file in SETS.items():
            sent = Sent()
            for steps in list(recorded(data / file))[:limit]:
                await sender.send(steps, sent)
            found += _figures(name, sent, goal=name == PLANS)
    return found


def _figures(name: str, sent: Sent, *, goal: bool) -> list[Measurement]:
    none, half = (0.0, 0.5) if goal else (None, None)
    whole, whole_transcript = sent.declared + sent.instructions, sent.transcript + sent.instructions
    return [
        Measurement(f"{name}: tasks of {sent.plans:,} plans", sent.tasks, "tasks"),
        Measurement(f"{name}: plans not carried out", sent.failed, "plans", goal=none),
        Measurement(f"{name}: tokens, declared inputs", whole, "tokens"),
        Measurement(f"{name}: tokens, full transcript", whole_transcript, "tokens"),
        Measurement(f"{name}: declared over transcript", whole / whole_transcript, "x", goal=half),
        Measurement(f"{name}: the same without instructions on either side", sent.declared / sent.transcript, "x"),
        Measurement(
            f"{name}: the same, the transcript with the agent's own prompt alone",
            whole / (sent.transcript + sent.prompts),
            "x",
        ),
        Measurement(f"{name}: facts of declared inputs", sent.facts, "facts"),
        Measurement(f"{name}: facts not in the prompt, but to be read on", sent.in_part, "facts", goal=none),
        Measurement(f"{name}: facts neither there nor to be read on", sent.lost, "facts", goal=none),
    ]


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--limit", type=int, help="only the first plans of each set")
    options = parser.parse_args()
    show(asyncio.run(measure(options.data, options.limit)), as_json=options.json)


if __name__ == "__main__":
    main()

"""How many of the plans that a real model wrote become runnable by deterministic repair alone, and what stops the rest.

    python -m benchmarks.repair [--data FOLDER]

The agents are the tools that the model was given: one required string per input type, a string out.
"""

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agentorch.core.card import AgentCard
from agentorch.core.failures import Problem
from agentorch.core.task import Graph
from agentorch.core.verifier import verify
from agentorch.planning.normalisation import normalise
from agentorch.planning.spelling import slug
from benchmarks.recorded import DATA, WRITTEN, missing

TOOLS = "plans_llm_taskbench_tools.json.gz"


def cards(folder: Path) -> dict[str, AgentCard]:
    """Return the tools as cards, by name."""
    with gzip.open(folder / TOOLS, "rt") as file:
        tools = json.load(file)["nodes"]
    return {card.name: card for card in map(_card, tools)}


def plans(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield each plan as the model wrote it."""
    with gzip.open(folder / WRITTEN, "rt") as file:
        for line in file:
            plan = json.loads(line)
            yield {"task_nodes": plan["task_nodes"], "task_links": plan["task_links"]}


def errors(plan: Mapping[str, Any], team: Mapping[str, AgentCard]) -> list[Problem]:
    """Return what stops a plan after deterministic repair."""
    read = normalise(plan, team)
    return [*read.problems, *verify(Graph(tuple(read.tasks), read.answer), team, strict=True).errors]


def _card(tool: Mapping[str, Any]) -> AgentCard:
    counts: Counter[str] = Counter()
    names: list[str] = []
    for kind in tool["input-type"]:
        counts[kind] += 1
        names.append(kind if counts[kind] == 1 else f"{kind}_{counts[kind]}")
    return AgentCard(
        name=slug(tool["id"]).replace("-", "_"),
        description=tool["desc"],
        input={
            "type": "object",
            "properties": {name: {"type": "string"} for name in names},
            "required": names,
            "additionalProperties": False,
        },
        output={"type": "string"},
    )


def main() -> None:
    """Print how many there are, and what stops the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    if (words := missing(options.data)) is not None:
        print(words)
        return
    team = cards(options.data)
    total = runnable = 0
    stopped: Counter[str] = Counter()
    for plan in plans(options.data):
        found = errors(plan, team)
        total += 1
        runnable += not found
        stopped.update({str(problem.code) for problem in found})
    print(f"{runnable} of {total} recorded plans ({runnable / total:.0%}) run after deterministic repair alone")
    for code, count in stopped.most_common():
        print(f"  {code:<22}{count:>5} plans")


if __name__ == "__main__":
    main()

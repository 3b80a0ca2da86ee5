"""What came of a run."""

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from agentorch.core.events import RunStatus
from agentorch.core.failures import Code, Problem
from agentorch.core.records import TaskRecord
from agentorch.core.references import BrokenReference
from agentorch.core.state import RunState, Status
from agentorch.core.task import Graph, Task
from agentorch.core.usage import NOTHING, Usage
from agentorch.errors import RunFailed
from agentorch.pictures.bundles import bundle, prose
from agentorch.plans import Plan
from agentorch.registry import Registry
from agentorch.runtime.frames import Library, frame_of
from agentorch.runtime.large import followed
from agentorch.runtime.task_records import Records


class OutcomeStatus(StrEnum):
    """How a run stands when nothing more happens by itself."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    """There is an answer, or some outputs; `problems` say what is missing."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    WAITING = "waiting"
    """For a person, or for the set-up to be mended: it can be resumed."""


class Outputs(Mapping[str, Any]):
    """The outputs of the succeeded tasks by id, each in its agent's declared type, made when looked at."""

    def __init__(self, values: Mapping[str, Any], agents: Mapping[str, str], registry: Registry) -> None:
        self._values = values
        self._agents = agents
        self._registry = registry
        self._typed: dict[str, Any] = {}

    def __getitem__(self, task: str) -> Any:
        """Return the output of `task`; KeyError when it brought none."""
        if task not in self._typed:
            value = self._values[task]
            agent = self._agents[task]
            self._typed[task] = self._registry[agent].revive(value) if agent in self._registry else value
        return self._typed[task]

    def plain(self, task: str) -> Any:
        """Return the output of `task` as JSON."""
        return self._values[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Outputs({', '.join(self._values)})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: equal live and after a resume."""

    run_id: str
    status: OutcomeStatus
    answer: Any
    """The value of the plan's answer, in its own type; None when there is none."""
    outputs: Mapping[str, Any]
    """Outputs of the succeeded tasks by id."""
    sources: tuple[str, ...]
    """What the answer rests on, as the agents cite it: `path:line` or URLs."""
    plan: Plan
    usage: Usage = NOTHING
    problems: tuple[Problem, ...] = ()
    """What went wrong or is missing, and warnings; each with code, task, message and remedy."""
    seconds: float = 0.0
    """Wall time from the first event to the last."""
    states: Mapping[str, str] = field(default_factory=dict[str, str])
    """How each task of the plan ended, by id."""
    tasks: Mapping[str, TaskRecord] = field(default_factory=dict[str, TaskRecord], repr=False)
    """How each task went, what it delegated below it: attempts, seconds, waiting, usage, each start and end."""
    started: float = 0.0
    """When the run began, in seconds since the epoch."""

    def raise_for_problems(self) -> "Outcome":
        """Return self when the run succeeded; raise RunFailed with the problems in words otherwise."""
        if self.status is OutcomeStatus.SUCCEEDED:
            return self
        lines = [str(problem) for problem in self.problems if problem.is_error] or ["no reason was recorded"]
        raise RunFailed(f"run {self.run_id} {self.status}: " + "; ".join(lines))

    def to_frame(self, library: Library | None = None) -> Any:
        """Return a data frame with a row for each task, in plan order, what it delegated below it.

        Columns: task, agent, state, attempts, seconds, waiting (seconds), input_tokens, cached_tokens (part of them),
        output_tokens, money (US dollars), caller (of a delegated task). `library` is "pandas" or "polars"; None is the
        first of them that is installed. Raises MissingExtraError when neither is.
        """
        return frame_of(self.tasks.values(), library)

    def to_svg(self) -> str:
        """Return the run as a picture: the plan with states, times and costs, and the tasks over time."""
        from agentorch.runtime.run_picture import Pictured, drawn  # noqa: PLC0415  # loaded when looked at

        run = Pictured(
            goal=self.plan.goal,
            status=self.status,
            records=list(self.tasks.values()),
            needs={task.id: task.needs for task in self.plan.tasks},
            answer=(self.plan.answer or "$")[1:].split(".", 1)[0],
            started=self.started,
            until=self.started + self.seconds,
            usage=self.usage,
        )
        return drawn(run)

    def to_markdown(self) -> str:
        """Return the answer, the problems and the sources as Markdown in which nothing is obeyed as HTML."""
        from agentorch.runtime.outcome_words import markdown_of  # noqa: PLC0415  # loaded when looked at

        return markdown_of(self.answer, self.problems, self.sources)

    def _ipython_display_(self) -> None:
        """Show in a notebook what came of the run: the picture, and the answer below it."""
        # Two outputs: of one that holds both, a notebook would show one alone.
        display = importlib.import_module("IPython.display").display
        display(bundle(self.to_svg(), f"run {self.run_id} {self.status}"), raw=True)
        display(prose(self.to_markdown(), str(self.answer)), raw=True)


def outcome_of(state: RunState, registry: Registry, values: Mapping[str, Any]) -> Outcome:
    """Return the outcome of a run that is at rest; `values` are its outputs, blobs read."""
    root = state.answer_root
    agents: dict[str, str] = {}
    tasks: list[Task] = []
    states: dict[str, str] = {}
    for name, task in state.tasks.items():
        agents[name] = task.agent
        if task.special is None or task.caller is None:
            tasks.append(task.task)
            states[name] = _WORDS[task.status]
    outputs = Outputs(values, agents, registry)
    answer, missing = _answer(state, outputs)
    plan = Plan.from_graph(Graph(tuple(tasks), state.answer), state.goal)
    return Outcome(
        run_id=state.run_id,
        status=_status(state),
        answer=answer,
        outputs=outputs,
        sources=_sources(state, root),
        plan=plan,
        usage=state.spent,
        problems=(*_problems(state), *missing),
        seconds=max(0.0, state.updated - state.started),
        states=states,
        tasks=Records(state),
        started=state.started,
    )


_WORDS: Final = {status: str(status) for status in Status}
"""What the outcome says of a task's status: a look at the member itself takes ten times as long."""


def _status(state: RunState) -> OutcomeStatus:
    finished: RunStatus | str = state.status
    return OutcomeStatus(finished) if state.finished else OutcomeStatus.WAITING


def _problems(state: RunState) -> tuple[Problem, ...]:
    problems = list(state.problems)
    if state.stopped is not None and not state.finished:
        problems.append(state.stopped)
    for request in state.requests.values():
        remedy = f"answer request {request.request_id}"
        problems.append(Problem("waiting", request.question, task=request.task, remedy=remedy))
    return tuple(problems)


def _answer(state: RunState, outputs: Outputs) -> tuple[Any, list[Problem]]:
    """Return the answer, and what is wrong with it if the run could not say so: a part of a large output is missing."""
    root, *path = (state.answer or "$")[1:].split(".")
    if root not in outputs:
        return None, []
    if not path:
        return outputs[root], []
    try:
        return followed(outputs.plain(root), path), []
    except BrokenReference as error:
        said = any(problem.code == Code.REF_PATH for problem in state.problems)
        return None, [] if said else [Problem(Code.REF_PATH, f"the answer is ${root}{error}")]


def _sources(state: RunState, root: str) -> tuple[str, ...]:
    """Return what the answer's task cites, or else what the tasks above it cite, nearest first, each once."""
    found: dict[str, None] = {}
    if not any(task.sources for task in state.tasks.values()):
        return ()
    seen: set[str] = set()
    level = [root]
    while level:
        below: list[str] = []
        for name in level:
            task = state.tasks.get(name)
            if task is None or name in seen or task.status is not Status.SUCCEEDED:
                continue
            seen.add(name)
            found.update(dict.fromkeys(task.sources))
            below += [*task.task.needs, *(task.children or ())]
        level = below
    return tuple(found)

"""Acceptance: from a model's text to a plan that passed every check, part by part while it is written, then as a whole.

1. A task is offered as its object closes, if every check that this prefix allows has passed; one that names an id not
   seen yet is held until that id is accepted.
2. What was accepted stays: later text adds to it and never changes it.
3. When the text does not follow the form that was asked for, nothing more is taken early; the whole is read at the end.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from agentorch.core.failures import Code, Problem
from agentorch.core.identity import ID
from agentorch.core.references import with_needs
from agentorch.core.task import UNSET, Graph, Task
from agentorch.core.verifier import Verified, verify
from agentorch.planning.extraction import extract
from agentorch.planning.normalisation import Normalised, normalise
from agentorch.planning.raw_plan import RawTask, raw_plan, raw_task
from agentorch.planning.raw_references import spelled_reference
from agentorch.planning.streaming import TaskStream
from agentorch.ports.planner import Offer, Patch, PlanRequest


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a whole answer."""

    graph: Graph
    """Every task that is accepted or could be, the accepted ones first."""
    problems: tuple[Problem, ...]
    """Errors and warnings of the whole."""
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What stops the plan."""
        return tuple(problem for problem in self.problems if problem.is_error)


class Acceptance:
    """One plan on its way from text to accepted tasks."""

    def __init__(self, request: PlanRequest, offer: Offer | None) -> None:
        self._request = request
        self._offer = offer
        self._cards = {card.name: card for card in request.cards}
        self.accepted: dict[str, Task] = {finished.task.id: finished.task for finished in request.tasks}
        """Tasks that stay, by id, in order."""
        self.notes: list[str] = []
        """Repairs of tasks that were accepted early."""
        self._begin()

    @property
    def overflowing(self) -> bool:
        """Whether the text holds more tasks than may be planned: there is no use in reading on."""
        return self._seen > self._request.max_tasks

    @property
    def hopeless(self) -> bool:
        """Whether the text holds too many tasks and what was accepted of them leaves no room to plan fewer."""
        return self.overflowing and len(self.accepted) >= self._request.max_tasks

    def restart(self) -> None:
        """Expect a new text; what was accepted stays."""
        self._begin()

    def read(self, piece: str) -> None:
        """Take the next piece of the text: offer what it completes."""
        for value in self._stream.feed(piece):
            self._seen += 1
            if self._offer is None or not self._regular or self.overflowing:
                continue
            self._regular = is_regular(raw_task(value))
            if self._regular:
                self._take(value)

    def judge(self, text: str) -> Judged:
        """Read the whole text and check the plan that it makes together with what was accepted."""
        if self.overflowing:
            return self._refused(_too_many(self._seen, self._request.max_tasks))
        extracted = extract(text)
        if extracted.problem is not None:
            return self._refused(extracted.problem)
        raw = raw_plan(extracted.value)
        if raw is None:
            return self._refused(*normalise(extracted.value, self._cards).problems)
        if len(raw.tasks) > self._request.max_tasks + len(self.accepted):
            return self._refused(_too_many(len(raw.tasks), self._request.max_tasks))
        read = normalise(extracted.value, self._cards, accepted=self.accepted)
        notes = tuple(note for note in (extracted.note, *self.notes, *read.notes) if note)
        checked = self._checked(read)
        graph = Graph((*self.accepted.values(), *checked.tasks), checked.answer)
        return _asked_of_run(Judged(graph, (*read.problems, *checked.problems), notes), graph, self._request)

    def _begin(self) -> None:
        self._stream = TaskStream()
        self._seen = 0
        self._regular = True
        self._held: dict[str, list[Task]] = {}
        """Tasks by the id that they wait for."""

    def _take(self, value: dict[str, Any]) -> None:
        read = normalise([value], self._cards, accepted=self.accepted, exact=True)
        waiting = deque(read.tasks)
        while waiting:
            task = with_needs(waiting.popleft(), (), strict=True)
            missing = next((need for need in task.needs if need not in self.accepted), None)
            if missing is not None:
                self._held.setdefault(missing, []).append(task)
            elif self._accepts(task):
                self.notes.extend(read.notes if task.id in {own.id for own in read.tasks} else ())
                waiting.extend(self._held.pop(task.id, ()))

    def _accepts(self, task: Task) -> bool:
        """Check one task as the next of the prefix, and offer it."""
        card = self._cards.get(task.agent)
        if self._offer is None or card is None or card.effects != "none":
            return False  # what may change the world waits for the whole plan
        options: dict[str, Any] = {"strict": True, "whole": False, "max_tasks": self._request.max_tasks}
        checked = verify(Graph((task,)), self._cards, known=self.accepted, inputs=self._request.inputs, **options)
        if checked.errors:
            return False
        ruling = self._offer(checked.tasks)
        if task.id not in ruling.accepted:
            return False
        self.accepted.update((one.id, one) for one in checked.tasks)
        return True

    def _checked(self, read: Normalised) -> Verified:
        return verify(
            Graph(tuple(read.tasks), read.answer),
            self._cards,
            known=self.accepted,
            max_tasks=self._request.max_tasks,
            strict=True,
            inputs=self._request.inputs,
        )

    def _refused(self, *problems: Problem) -> Judged:
        return Judged(Graph(tuple(self.accepted.values())), problems, tuple(self.notes))


def is_regular(raw: RawTask) -> bool:
    """Whether a task can be understood without the rest of its plan: plain ids, and nothing that counts."""
    names = [raw.id, *raw.needs]
    for value in _strings(raw.inputs):
        spelled = spelled_reference(value)
        names.extend([spelled[0]] if spelled else [])
    return raw.agent is not None and all(isinstance(name, str) and ID.fullmatch(name) for name in names)


def judge_patch(text: str, request: PlanRequest) -> tuple[Patch, Judged]:
    """Read a patch out of a model's text and check the plan that it would lead to."""
    cards = {card.name: card for card in request.cards}
    plan = {finished.task.id: finished.task for finished in request.tasks}
    frozen = {finished.task.id: finished.task for finished in request.tasks if finished.frozen}
    extracted = extract(text)
    if extracted.problem is not None:
        return Patch(), Judged(Graph(()), (extracted.problem,))
    read = normalise(extracted.value, cards, accepted=plan, replacing=True)
    failed = {problem.task for problem in request.failed}
    written = {task.id: with_needs(task, (), strict=True) for task in read.tasks}
    put = {id: task for id, task in written.items() if id in failed or not _is_same(task, plan.get(id))}
    drop = tuple(id for id in read.drop if id in plan and id not in written)
    problems = [*read.problems, *_untouchable(put, drop, frozen)]
    if not put and not drop:
        problems.append(Problem(Code.EMPTY, "the patch changes nothing", None, "put or drop at least one task"))
    open_tasks = {id: task for id, task in plan.items() if id not in frozen} | put
    kept = tuple(task for id, task in open_tasks.items() if id not in drop)
    known = {id: task for id, task in frozen.items() if id not in put and id not in drop}
    checked = verify(Graph(kept, read.answer), cards, known=known, max_tasks=_room(request), inputs=request.inputs)
    patch = Patch(tuple(task for task in checked.tasks if task.id in put), drop, read.answer)
    judged = Judged(Graph(checked.tasks, checked.answer), (*problems, *checked.problems), tuple(read.notes))
    return patch, _asked_of_run(judged, patch, request)


def _asked_of_run(judged: Judged, proposal: Graph | Patch, request: PlanRequest) -> Judged:
    """Ask the run too, once nothing is wrong here: what it would refuse can still be mended."""
    return judged if judged.errors else replace(judged, problems=(*judged.problems, *request.check(proposal)))


def _is_same(task: Task, known: Task | None) -> bool:
    """Whether a task is written as the planner was shown it."""
    if known is None or (task.agent, task.objective, task.inputs) != (known.agent, known.objective, known.inputs):
        return False
    return set(task.needs) == set(known.needs) and task.policy in (UNSET, known.policy)


def _untouchable(put: Mapping[str, Task], drop: Sequence[str], frozen: Mapping[str, Task]) -> list[Problem]:
    return [
        Problem(
            Code.PATCH, "it is running or done and cannot be changed", id, "refer to it, or put a task of another id"
        )
        for id in (*put, *drop)
        if id in frozen
    ]


def _room(request: PlanRequest) -> int:
    """A plan may grow by re-planning, but not without end."""
    return request.max_tasks + len(request.tasks)


def _too_many(count: int, most: int) -> Problem:
    return Problem(Code.LIMIT, f"the plan has {count} tasks or more, at most {most}", None, "plan fewer, larger tasks")


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(cast("dict[str, Any]", value).values())
    return [text for item in cast("list[Any]", value) for text in _strings(item)] if isinstance(value, list) else []

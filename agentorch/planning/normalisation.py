"""Deterministic repair: a plan as a model wrote it becomes tasks, each change noted in one line.

1. Nothing is guessed: what can be meant in two ways is left for the verifier to report.
2. Accepted tasks are not touched: their ids stay, and what is written under such an id again is passed over.
3. Equal ids are renumbered only while nothing is accepted; afterwards a reference to one may already be running.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, cast

from agentorch.core.card import AgentCard
from agentorch.core.failures import Code, Problem
from agentorch.core.policy import Policy
from agentorch.core.references import Reference, found, parse, resolve
from agentorch.core.task import EMPTY, UNSET, Task
from agentorch.planning.raw_inputs import fitted_inputs
from agentorch.planning.raw_plan import RawPlan, RawTask, raw_plan
from agentorch.planning.raw_references import ReferenceReading, spelled_reference
from agentorch.planning.spelling import Spellings, id_for, number_in, slug

_MARKERS: Final = frozenset({"start", "begin", "end", "finish", "stop", "join", "root", "source", "sink"})
"""Ids and agents of tasks that only mark where a graph begins or ends."""
_NOTHING: Final = frozenset({"", "none", "null", "n/a", "-"})
_CLOSE: Final = 0.8


@dataclass(slots=True)
class Normalised:
    """A plan after deterministic repair."""

    tasks: list[Task] = field(default_factory=list[Task])
    answer: str | None = None
    drop: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list[str])
    """What was changed, one line each."""
    problems: list[Problem] = field(default_factory=list[Problem])
    """What could not be read at all."""


def normalise(
    value: Any,
    cards: Mapping[str, AgentCard],
    *,
    accepted: Mapping[str, Task] = EMPTY,
    replacing: bool = False,
    exact: bool = False,
) -> Normalised:
    """Return the tasks of the JSON `value` of a model.

    `accepted` tasks may be named but are not read again, unless `replacing` (a patch puts tasks by id). `exact` takes
    ids as they are written: for tasks of a plan whose rest is not known yet.
    """
    raw = raw_plan(value)
    if raw is None:
        remedy = "answer with an object that has a list 'tasks'"
        return Normalised(problems=[Problem(Code.SCHEMA, "the JSON has no list of tasks", None, remedy)])
    return _Normalising(raw, cards, accepted, replacing=replacing, exact=exact).result()


class _Normalising:
    """One plan on its way from what was written to tasks."""

    def __init__(
        self,
        raw: RawPlan,
        cards: Mapping[str, AgentCard],
        accepted: Mapping[str, Task],
        *,
        replacing: bool,
        exact: bool,
    ) -> None:
        self._raw = raw
        self._cards = cards
        self._slugs = _unambiguous(cards)
        self._accepted = accepted
        self._replacing = replacing
        self._out = Normalised()
        self._spellings = Spellings(accepted, exact=exact)
        self._markers: set[str] = set()
        self._agents = {id: task.agent for id, task in accepted.items()}
        self._reading = ReferenceReading(self._spellings, self._agents, cards, self._out.notes.append)

    def result(self) -> Normalised:
        """Go through the stages: markers, ids, edges, numbers, tasks, answer."""
        named = self._named([task for task in self._raw.tasks if not self._is_marker(task)])
        self._add_edges(named)
        self._settle_numbers(named)
        again: set[str] = set()
        for id, raw in named:
            if self._replacing or id not in self._accepted or id in again:
                self._out.tasks.append(self._task(id, raw))
            again.add(id)
        self._out.answer = self._answer(self._raw.answer)
        self._out.drop = tuple(self._spellings.meaning(name) or id_for(name) for name in self._raw.drop)
        return self._out

    def _is_marker(self, raw: RawTask) -> bool:
        names = {slug(str(name)) for name in (raw.id, raw.agent) if name not in (None, "")}
        marks = bool(names & _MARKERS) and self._agent(raw.agent) not in self._cards
        if marks and (raw.agent is None or slug(str(raw.agent)) in _MARKERS):
            self._markers.update(str(name) for name in (raw.id,) if name is not None)
            self._out.notes.append(f"took out the marker {raw.id or raw.agent!r}")
            return True
        return False

    def _named(self, tasks: list[RawTask]) -> list[tuple[str, RawTask]]:
        """Give every task its id, and resolve its agent."""
        named: list[tuple[str, RawTask]] = []
        first: dict[str, RawTask] = {}
        for place, raw in enumerate(tasks):
            missing = raw.id is None or raw.id == ""
            id = id_for(place + 1) if missing else id_for(raw.id)
            if id in first and raw == first[id]:
                self._out.notes.append(f"took out a second copy of {id!r}")
                continue
            if id in first and not self._accepted:
                id = _free(id, first)
                self._out.notes.append(f"renamed the second {raw.id!r} to {id!r}")
                self._spellings.add(id, id)
            elif id not in first:
                self._spellings.add(None if missing else raw.id, id, number=place if missing else None)
                if not missing and id != raw.id:
                    self._out.notes.append(f"read id {raw.id!r} as {id!r}")
            first.setdefault(id, raw)
            self._agents[id] = self._agent(raw.agent if raw.agent is not None else raw.id)
            named.append((id, raw))
        return named

    def _add_edges(self, named: list[tuple[str, RawTask]]) -> None:
        tasks = dict(named)
        bearers = Counter(self._agents[id] for id in tasks)
        by_agent = {agent: id for id, agent in self._agents.items() if bearers[agent] == 1}
        for source, target in self._raw.edges:
            if self._is_nothing(source) or self._is_nothing(target):
                continue
            if bearers[self._agent(source)] > 1 or bearers[self._agent(target)] > 1:
                self._out.notes.append(f"passed over the edge {source!r} -> {target!r}: several tasks have that agent")
                continue
            user = by_agent.get(self._agent(target)) or self._spellings.meaning(target)
            if user in tasks:
                tasks[user].needs.append(by_agent.get(self._agent(source), source))
            else:
                problem = f"the edge {source!r} -> {target!r} leads to no task of the plan"
                self._out.problems.append(Problem(Code.UNKNOWN_DEP, problem, None, "name tasks by their ids"))

    def _settle_numbers(self, named: list[tuple[str, RawTask]]) -> None:
        uses: list[tuple[str, int]] = []
        for id, raw in named:
            spellings = [*raw.needs, *_spelled_in(raw.inputs)]
            counted = (self._spellings.counts(name) for name in spellings if not self._is_nothing(name))
            uses.extend((id, number) for number in counted if number is not None)
        shift = self._spellings.shift_for(uses)
        if shift and not any(raw.id in (None, "") for _, raw in named):
            self._out.notes.append(f"moved the numbers of needs by {shift:+d}: they count from {0 if shift > 0 else 1}")

    def _task(self, id: str, raw: RawTask) -> Task:
        agent = self._agents[id]
        if agent != raw.agent:
            self._out.notes.append(f"{id}: read agent {raw.agent!r} as {agent!r}")
        objective = self._reading.objective(_words(raw.objective))
        card = self._cards.get(agent)
        written: Any = self._reading.value(raw.inputs)
        if card is not None:
            inputs = fitted_inputs(written, objective, card, lambda line: self._out.notes.append(f"{id}: {line}"))
        else:  # an unknown agent: its inputs show at least what the task needs
            inputs = cast("dict[str, Any]", written) if isinstance(written, dict) else {"inputs": written}
        needs = dict.fromkeys(self._need(need) for need in raw.needs if not self._is_nothing(need))
        inputs = self._not_itself(id, inputs, list(needs))
        return Task(id, agent, objective, inputs, tuple(needs), self._policy(raw), _seconds(raw))

    def _not_itself(self, id: str, inputs: dict[str, Any], needs: list[str]) -> dict[str, Any]:
        """A task that refers to itself means the one need that it declares and does not refer to."""
        references = [item.reference for item in found(inputs)]
        named = {reference.id for reference in references}
        spare = [need for need in needs if need not in named]
        if Reference(id) not in references or len(spare) != 1 or any(one.id == id and one.path for one in references):
            return inputs
        self._out.notes.append(f"{id}: read its reference to itself as {spare[0]!r}")
        return resolve(inputs, {id: f"${spare[0]}"}, needs=())

    def _need(self, written: Any) -> str:
        if isinstance(written, dict):
            written = cast("dict[str, Any]", written).get("id", "")
        spelled = spelled_reference(written) if isinstance(written, str) else None
        name = spelled[0] if spelled else written
        return self._spellings.meaning(name) or id_for(name)

    def _is_nothing(self, name: Any) -> bool:
        """Whether a need is no need: a marker, -1, "none"."""
        text = str(name).strip()
        known = self._spellings.meaning(name) is not None and text not in self._markers
        if known:
            return False
        return text.lower() in _NOTHING or text in self._markers or slug(text) in _MARKERS or (number_in(name) or 0) < 0

    def _agent(self, written: Any) -> str:
        name = str(written or "").strip()
        if name in self._cards:
            return name
        plain = slug(name).replace("-", "_")
        if plain in self._slugs:
            return self._slugs[plain]
        close = get_close_matches(plain, self._slugs, n=2, cutoff=_CLOSE)
        return self._slugs[close[0]] if len(close) == 1 else name

    def _answer(self, written: Any) -> str | None:
        if not isinstance(written, str | int) or str(written).strip().lower() in _NOTHING:
            return None
        text = self._reading.text(str(written).strip())
        if parse(text) is not None:
            return text
        meant = self._spellings.meaning(written)
        if meant is None:
            self._out.notes.append(f"the answer {str(written)[:60]!r} is no reference: left to the last task")
        return f"${meant}" if meant else None

    def _policy(self, raw: RawTask) -> Policy:
        join: Any = raw.rest.get("join")
        usable = join in ("any", "settled") or (isinstance(join, int) and not isinstance(join, bool))
        return Policy(join=join) if usable else UNSET


def _unambiguous(cards: Mapping[str, AgentCard]) -> dict[str, str]:
    plain = [(slug(name).replace("-", "_"), name) for name in cards]
    counts = Counter(text for text, _ in plain)
    return {text: name for text, name in plain if counts[text] == 1}


def _free(id: str, taken: Mapping[str, Any]) -> str:
    count = 2
    while f"{id}_{count}" in taken:
        count += 1
    return f"{id}_{count}"


def _words(objective: Any) -> str:
    if isinstance(objective, list):
        return " ".join(str(part) for part in cast("list[Any]", objective))
    return "" if objective is None else str(objective)


def _seconds(raw: RawTask) -> float | None:
    seconds = raw.rest.get("seconds")
    return (
        float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0 else None
    )


def _spelled_in(value: Any) -> list[str]:
    """The names of all references in a value, in whatever spelling."""
    if isinstance(value, str):
        spelled = spelled_reference(value)
        return [spelled[0]] if spelled else []
    items = list(cast("dict[str, Any]", value).values()) if isinstance(value, dict) else value
    return [name for item in cast("list[Any]", items) for name in _spelled_in(item)] if isinstance(items, list) else []

"""From a cast to tasks: sources once for each item of the goal, what follows once for each or once over all."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from agentorch.core.policy import Policy
from agentorch.core.references import PROVIDED, with_needs
from agentorch.core.task import UNSET, Graph, Task
from agentorch.planning.casting import Cast
from agentorch.planning.goal_items import Items
from agentorch.planning.wiring import Filling, Place

GOAL: Final = "$goal"
"""The whole goal, by reference: its text is never read as a reference itself."""
OBJECTIVE: Final = "${goal}"
_CLOSING: Final = Policy(join="settled")
"""An answer is written from what there is."""


def graph(cast: Cast, items: Items) -> Graph:
    """Return the plan of `cast`, fanned out over `items`."""
    fan = _Fan(items)
    for place in cast.places:
        fan.add(place)
    if cast.closing:
        fan.close(cast.closing, cast.ends)
    sinks = [id for name in ([cast.closing.card.name] if cast.closing else cast.ends) for id in fan.ids[name]]
    return Graph(tuple(fan.tasks), f"${sinks[0]}" if len(sinks) == 1 else None)


@dataclass
class _Fan:
    items: Items
    tasks: list[Task] = field(default_factory=list[Task])
    ids: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Task ids by agent: one, or one for each item."""

    def add(self, place: Place) -> None:
        """Add the task of `place`, or its tasks."""
        count = len(self.items.texts) if self._is_fanned(place) else 1
        ids = [self._new_id(place.card.name, item if count > 1 else None) for item in range(count)]
        self.ids[place.card.name] = ids
        for item, id in enumerate(ids):
            inputs = {
                name: self._value(name, filling, item if count > 1 else None)
                for name, filling in place.fillings.items()
            }
            objective = _plain(self.items.texts[item]) if count > 1 else OBJECTIVE
            self.tasks.append(_task(id, place, objective, inputs, self._known()))

    def close(self, place: Place, ends: Sequence[str]) -> None:
        """Add the last task, which takes the outputs of `ends`."""
        loose = [id for name in ends for id in self.ids[name]]
        parts = {id: f"${id}" for id in loose}
        inputs = {
            name: parts if filling.kind == "parts" else self._value(name, filling, None)
            for name, filling in place.fillings.items()
        }
        id = self._new_id(place.card.name, None)
        self.ids[place.card.name] = [id]
        task = _task(id, place, OBJECTIVE, inputs, self._known())
        self.tasks.append(replace(task, policy=_CLOSING if len(loose) > 1 else UNSET))

    def _is_fanned(self, place: Place) -> bool:
        """Whether it works once for each item: it takes the item, or what was made of one."""
        if not self.items.texts:
            return False
        from_items = [f for f in place.fillings.values() if f.kind == "output" and len(self.ids[f.agents[0]]) > 1]
        takes_goal = any(filling.kind == "goal" for filling in place.fillings.values())
        return bool(from_items) or (takes_goal and not place.feeders)

    def _value(self, name: str, filling: Filling, item: int | None) -> Any:
        match filling.kind:
            case "input":
                return f"$inputs.{name}"
            case "goal":
                return GOAL if item is None else self.items.texts[item]
            case "items":
                return list(self.items.texts) or [GOAL]
            case "output":
                ids = self.ids[filling.agents[0]]
                return f"${ids[item if item is not None and len(ids) > 1 else 0]}"
            case "outputs" | "parts":
                return [f"${id}" for agent in filling.agents for id in self.ids[agent]]

    def _new_id(self, agent: str, item: int | None) -> str:
        id = agent if item is None else f"{agent}-{item + 1}"
        while id in self._known() or id in PROVIDED:
            id += "-task"
        return id

    def _known(self) -> set[str]:
        return {task.id for task in self.tasks}


def _task(id: str, place: Place, objective: str, inputs: dict[str, Any], known: set[str]) -> Task:
    return with_needs(Task(id, place.card.name, objective=objective, inputs=inputs), known)


def _plain(text: str) -> str:
    """Keep a piece of the goal from being read as a place to fill in."""
    return text.replace("${", "$ {")

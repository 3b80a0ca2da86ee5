"""A plan made by hand: in Python, or in a YAML or JSON file."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pydantic_core import PydanticSerializationError, to_jsonable_python

from agentorch.agents import policy_of
from agentorch.core.card import AgentCard
from agentorch.core.policy import Policy
from agentorch.core.task import UNSET, Graph, Task
from agentorch.core.usage import Budget
from agentorch.core.verifier import BudgetProblem, Verified, verify
from agentorch.errors import ConfigurationError
from agentorch.pictures.bundles import bundle
from agentorch.plans.mermaid import mermaid_of
from agentorch.plans.plan_file import PlanData, read_plan_data, read_plan_file
from agentorch.registry import Registry


class Plan:
    """Tasks, and what answers the goal.

        plan = Plan("An ode to message buses")
        facts = plan.add("facts", agent="researcher", inputs={"topic": "message buses"})
        plan.add("ode", agent="poet", inputs={"facts": facts})

    The order of the tasks is free. Nothing is checked against a team before `verify` or a run.
    """

    __slots__ = ("_answer", "_checked", "_tasks", "goal")

    def __init__(self, goal: str = "", answer: str | Task | None = None) -> None:
        self.goal = goal
        """What the plan is for, in words; `$goal` in the inputs."""
        self._answer = _reference(answer)
        self._tasks: list[Task] = []
        self._checked: _Checked | None = None

    @property
    def answer(self) -> str | None:
        """The reference to what answers the goal; None is the only task that no other needs."""
        return self._answer

    @answer.setter
    def answer(self, value: str | Task | None) -> None:
        self._answer = _reference(value)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, in the order in which they were added."""
        return tuple(self._tasks)

    def add(
        self,
        id: str,
        *,
        agent: Any,
        objective: str = "",
        inputs: Mapping[str, Any] | None = None,
        needs: Iterable[str | Task] = (),
        seconds: float | None = None,
        budget: Budget | None = None,
        **policies: Any,
    ) -> Task:
        """Add a task and return it: it, and `task["rows"]`, may stand in the inputs of others.

        `agent` is an agent or its name. `needs` are tasks to wait for beside those in the inputs. `seconds` is how long
        it is expected to take. `budget` limits the task, and what it delegates, within what the run has. Further
        keywords are policy settings (`timeout=60`); an unknown one raises ConfigurationError with what was probably
        meant.
        """
        name = agent if isinstance(agent, str) else str(agent.name)
        policy = policy_of(policies, what=f"task {id!r}", others=("objective", "inputs", "needs", "seconds", "budget"))
        if budget is not None and not isinstance(budget, Budget):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"task {id!r}: budget={budget!r:.80}: give a Budget, such as Budget(max_calls=2)")
        explicit = (needs,) if isinstance(needs, str | Task) else needs
        ids = tuple(dict.fromkeys(need if isinstance(need, str) else need.id for need in explicit))
        task = Task(id, name, objective, _json(inputs or {}, f"task {id!r}"), ids, policy, seconds, budget)
        self._tasks.append(task)
        return task

    @classmethod
    def from_file(cls, path: str | Path) -> "Plan":
        """Read a plan from a YAML or JSON file; PlanFileError begins with the path and says the line."""
        return cls._from_data(read_plan_file(Path(path)))

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Plan":
        """Read a plan from what `to_dict` gives; PlanFileError says what is wrong."""
        return cls._from_data(read_plan_data(value))

    @classmethod
    def from_graph(cls, graph: Graph, goal: str = "") -> "Plan":
        """Return a plan of the core as one to look at, change and run."""
        plan = cls(goal, graph.answer)
        plan._tasks.extend(graph.tasks)  # its own
        return plan

    @classmethod
    def _from_data(cls, data: PlanData) -> "Plan":
        return cls.from_graph(Graph(data.tasks, data.answer), data.goal)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON: what is written in a plan file."""
        head = {"goal": self.goal, "answer": self.answer}
        return {
            **{key: value for key, value in head.items() if value},
            "tasks": [_task_dict(task) for task in self._tasks],
        }

    def to_mermaid(self) -> str:
        """Return the plan as a Mermaid flowchart."""
        return mermaid_of(self.graph())

    def to_svg(self) -> str:
        """Return the plan as a picture: a box for each task, or for many that are alike, and their needs."""
        from agentorch.plans.picture import picture_of  # noqa: PLC0415  # loaded when looked at

        return picture_of(self.graph(), self.goal)

    def graph(self) -> Graph:
        """Return the plan as the core sees it, needs as written."""
        return Graph(self.tasks, self.answer)

    def verify(
        self, registry: Registry, *, inputs: Mapping[str, Any] | None = None, policy: Policy = UNSET
    ) -> Verified:
        """Check the plan against a team before anything is spent; `inputs` are those of the run, if known."""
        return verify(self.graph(), registry.cards, inputs=inputs, policy=policy)

    def checked(
        self,
        cards: Mapping[str, AgentCard],
        *,
        inputs: Mapping[str, Any],
        policy: Policy,
        budget_problem: BudgetProblem | None = None,
    ) -> Verified:
        """Do as `verify`, for a run; a plan that is run again by the same team is not checked again.

        A team is the same when `cards` is the same object, which nobody changes.
        """
        graph, known = self.graph(), self._checked
        if (
            known is not None
            and budget_problem is None
            and known.cards is cards
            and known.graph == graph
            and known.inputs == inputs
            and (known.policy is policy or known.policy == policy)
        ):
            return known.verified
        verified = verify(graph, cards, inputs=inputs, policy=policy, budget_problem=budget_problem)
        if budget_problem is None and not verified.errors:
            self._checked = _Checked(_copied(graph), cards, inputs, policy, verified)
        return verified

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Show the plan in a notebook."""
        del include, exclude
        return bundle(self.to_svg(), repr(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        return (self.goal, self.answer, self._tasks) == (other.goal, other.answer, other._tasks)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __len__(self) -> int:
        return len(self._tasks)

    def __repr__(self) -> str:
        return f"Plan({self.goal!r}, {len(self)} tasks)"


@dataclass(frozen=True, slots=True)
class _Checked:
    """What came of the last check, and of what it was one."""

    graph: Graph
    cards: Mapping[str, AgentCard]
    inputs: Mapping[str, Any]
    policy: Policy
    verified: Verified


def _copied(graph: Graph) -> Graph:
    """Return a plan that shows whether somebody has changed the inputs of a task since."""
    return replace(
        graph, tasks=tuple(replace(task, inputs=deepcopy(task.inputs)) if task.inputs else task for task in graph.tasks)
    )


def _reference(value: str | Task | None) -> str | None:
    if isinstance(value, Task):
        return value.ref
    if value is not None and not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"answer={value!r:.80}: give a task, or its id, or a reference such as '$review.text'")
    return value if value is None or value.startswith("$") else f"${value}"


def _json(inputs: Mapping[str, Any], what: str) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", to_jsonable_python(_with_references(inputs)))
    except PydanticSerializationError as error:
        raise ConfigurationError(f"{what}: an input is no JSON value: {error}") from None


def _with_references(value: Any) -> Any:
    """Put the reference in the place of each task."""
    if isinstance(value, Task):
        return value.ref
    if isinstance(value, Mapping):
        return {key: _with_references(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_with_references(item) for item in cast("list[Any]", value)]
    return value


def _task_dict(task: Task) -> dict[str, Any]:
    parts = {"objective": task.objective, "inputs": task.inputs, "needs": list(task.needs), "seconds": task.seconds}
    set_parts = {key: value for key, value in parts.items() if value}
    budget = {"budget": task.budget.model_dump(mode="json", exclude_defaults=True)} if task.budget is not None else {}
    return {"id": task.id, "agent": task.agent, **set_parts, **budget, **task.policy.model_dump(mode="json")}

"""The state of a run: what applying its events has made of it.

1. Only `apply` changes it, and `plain` as `apply` would (and `scheduling`, its derived ranks and heaps).
2. A message costs O(the task's own edges): counters say how many needs are open, held and lost; heaps hold the ready.
3. Containers are deterministic: dicts in plan order, heaps ordered by (rank, order).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from agentorch.core.accounts import Account, Amount, OpenCall
from agentorch.core.card import AgentCard
from agentorch.core.commands import Command, Dispatch
from agentorch.core.crosscheck import CrossCheck
from agentorch.core.empties import DICT, LIST, NONE
from agentorch.core.failures import Problem
from agentorch.core.policy import DEFAULT, AgentDefaults, Join, Policy
from agentorch.core.special import EndedDispatch, Ladder, Memo, Rare, Special
from agentorch.core.task import UNSET, Task
from agentorch.core.usage import NOTHING, UNLIMITED, Budget, Usage


class Status(StrEnum):
    """Where a task stands."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


PENDING: Final = Status.PENDING  # until Python 3.12, looking a member up costs as much as a call
READY: Final = Status.READY
RUNNING: Final = Status.RUNNING
SUCCEEDED: Final = Status.SUCCEEDED
FINAL: Final = frozenset({Status.SUCCEEDED, Status.FAILED, Status.SKIPPED, Status.CANCELLED})
"""States that a (task, revision) never leaves."""

NONE_ENDED: Final = (0, 0.0)
"""The dispatches of an agent of which none has ended, and their seconds."""
ANSWERER: Final = "answer-writer"
"""The built-in agent that writes an answer out of several outputs."""


@dataclass(slots=True)
class TaskState:
    """One task in one revision."""

    task: Task
    revision: int
    order: int
    """Position in the plan; breaks ties."""
    agent: str
    """The agent that has the task now: its ladder's, where there is one."""
    status: Status = Status.PENDING
    waiting: str | None = None
    """What a waiting task waits for: timer, approval, person, effect, replan, budget."""
    join: Join = "all"
    """Which of its needs must hold: its own setting, or the run's."""
    open: int = 0
    """Needs that are not final."""
    held: int = 0
    """Needs that succeeded."""
    lost: int = 0
    """Needs that are final without success."""
    dependents: Sequence[str] | None = None
    """Who needs it; runs of one plan share what the plan says, until something is added."""
    attempt: int = 1
    dispatch: int = 1
    started: float = 0.0
    """When the current dispatch was admitted."""
    finished: float = 0.0
    inputs: str = ""
    """Digest of the input values of the current dispatch."""
    rank: float = 0.0
    """Longest remaining path, in expected seconds or hops."""
    due: float | None = None
    sources: tuple[str, ...] = ()
    special: Special | None = None
    """What few tasks have; the fields below look into it."""

    ladder = Rare[Ladder | None](None)
    problem = Rare[Problem | None](None)
    cause = Rare[str | None](None)
    memo = Rare[Memo | None](None)
    caller = Rare[str | None](None)
    depth = Rare(0)
    children = Rare[list[str] | None](None)
    open_children = Rare(0)
    questions = Rare(0)
    works = Rare(False)
    approved = Rare(False)
    spent = Rare[Usage | None](None)
    steps = Rare[dict[str, Any] | None](None)
    account = Rare[Account | None](None)
    ended = Rare[tuple[EndedDispatch, ...]](())
    before = Rare[Usage | None](None)

    def climb(self, ladder: Ladder) -> None:
        """Go on with what a ladder says."""
        self.ladder = ladder
        self.agent = ladder.agent

    @property
    def blocked(self) -> bool:
        """Whether its dispatch has lent its slot to what it delegated, or waits for a person: it takes none."""
        return self.open_children > 0 or (self.questions > 0 and not self.works)


@dataclass(slots=True)
class Replan:
    """A re-plan that is under way."""

    number: int
    tasks: list[str]
    asked: tuple[str, ...]
    again: bool = False


@dataclass(slots=True)
class Request:
    """A question to a person."""

    request_id: str
    kind: str
    task: str | None
    question: str
    answer_schema: dict[str, Any]
    key: str | None
    effect: str | None = None
    """Idempotency key of what nobody knows whether it has happened."""


@dataclass(slots=True)
class Receipt:
    """An effect that may happen once only: intended, and perhaps done."""

    task: str
    tool: str
    arguments: str
    """Digest of the arguments."""
    done: bool = False
    result: Any = None
    void: bool = False
    """Whether it has certainly not happened, or is to be repeated: its call is made again when it is asked for."""
    key: str = ""
    """The dispatch that intended it."""
    owner: str = ""
    """Who carried the run out then."""

    @property
    def is_open(self) -> bool:
        """Whether nobody knows what has become of it."""
        return not (self.done or self.void)


@dataclass(slots=True)
class CrossCheckState:
    """One check across tasks."""

    spec: CrossCheck
    tasks: tuple[str, ...] = ()
    """The tasks that it is about; empty while not each of them is known."""
    number: int = 0
    """How often it has been asked."""
    status: Literal["open", "asked", "done"] = "open"
    """Whether it waits for outputs, is under way, or has its verdict on the outputs as they are."""


@dataclass(slots=True)
class RunState:
    """One run."""

    run_id: str
    catalog: Mapping[str, AgentCard] = field(default_factory=DICT)
    """The cards of the team, the built-in answerer included. Not journaled: their versions are."""
    seq: int = 0
    goal: str = ""
    policy: Policy = DEFAULT
    budget: Budget = UNLIMITED
    planner: str | None = None
    person: bool = False
    priority: str = "interactive"
    tags: dict[str, str] = NONE
    started: float = 0.0
    updated: float = 0.0
    ran: float = 0.0
    """Seconds for which the run has been carried out, counted where a `max_seconds` limits them."""
    timed: dict[str, None] = NONE
    """Tasks that have seconds of their own, and were started: while there are some, `ran` is counted."""
    turned: dict[str, None] = NONE
    """Those of them whose time may have gone on since the shell last looked."""
    clocked: bool = False
    """Whether `ran` is counted: the run, or a task of `timed`, has only so many seconds."""
    defaults: dict[str, AgentDefaults] = field(default_factory=DICT)
    """What holds for tasks without settings of their own, by agent; looked up once."""
    owner: str = ""
    cards: dict[str, str] = NONE
    ancestors: tuple[str, ...] = ()
    """For a fork: the run that it was forked from, then the run that one was forked from, and so on."""
    no_new_effects: bool = False
    """For a fork: whether what would have an effect, once only, is refused."""

    tasks: dict[str, TaskState] = field(default_factory=DICT)
    """Every live task by id, delegated ones included."""
    entered: int = 0
    """Tasks that ever entered; gives each its order."""
    entries: list[tuple[int, float]] = field(default_factory=LIST)
    """When tasks entered: what `entered` was before, and the time. Looked at by people alone."""
    retired: list[tuple[int, TaskState]] = field(default_factory=LIST)
    """Tasks that a patch dropped or replaced, with the revision that did it."""
    outputs: dict[str, Any] = field(default_factory=DICT)
    """Values that references may name: `goal`, `inputs`, and every succeeded task's output."""
    answer: str | None = None
    complete: bool = False
    """Whether the planner has said all."""
    revision: int = 1
    problems: tuple[Problem, ...] = ()
    """Warnings, and what befell the run as a whole."""

    open: int = 0
    """Tasks that are not final."""
    running: int = 0
    blocked: int = 0
    """Running tasks that wait for a delegated one or for a person: they take no slot."""
    working: int = 0
    """Running tasks that go on beside what they have asked or called."""
    running_by_agent: dict[str, int] = field(default_factory=DICT)
    blocked_by_agent: dict[str, int] = NONE
    moved: dict[str, None] = field(default_factory=DICT)
    """Agents whose number of tasks at work may have changed since the shell last looked."""
    ready: dict[str, list[tuple[float, int, str]]] = field(default_factory=DICT)
    """Per agent, a heap of (-rank, order, task id); stale entries are passed over when popped."""
    line: list[str] = field(default_factory=LIST)
    """Tasks that became ready since the plan changed and nobody has ranked it, outdated ones among them."""
    ready_count: int = 0
    ranks_stale: bool = True
    usual_seconds: float | None = None
    """What an unfinished task is expected to take on average; None when nothing is known."""
    means: dict[str, tuple[int, float]] = field(default_factory=DICT)
    """Per agent: finished dispatches and their summed seconds."""
    surplus: dict[str, None] = NONE
    """Open tasks that no join waits for any more and that are cancelled once the plan is whole."""
    timers: int = 0
    """Tasks that wait for a timer."""
    unsettled: dict[str, None] = NONE
    """Keys that ended without a word of what they used: a late outcome may still tell."""

    replan: Replan | None = None
    replans: int = 0
    seen: frozenset[str] = frozenset()
    """Digests of the plans that this run has had."""
    requests: dict[str, Request] = NONE
    answers: dict[str, Any] = NONE
    receipts: dict[str, Receipt] = NONE
    """Effects that may happen once only, by idempotency key, whatever became of the tasks that had them."""
    effects: dict[str, dict[str, list[str]]] = NONE
    """The keys of `receipts` by task and tool, and by attempt; see `effect_keys`."""
    checks: dict[str, CrossCheckState] = NONE
    """Checks across tasks, by name."""
    pending: dict[str, Command] = field(default_factory=DICT)
    gained: list[Command] = field(default_factory=LIST)
    """Commands since the shell last took them."""
    spent: Usage = NOTHING
    account: Account | None = None
    """What the run may use; None where nothing limits the use of models."""
    calls: dict[str, OpenCall] = NONE
    """Model calls under way, by their ids; only under a limit."""
    admitted: int = 0
    """Running dispatches with something set aside that do not wait for what they delegated."""
    usual: dict[str, tuple[int, Amount]] = NONE
    """Per agent: dispatches that succeeded, and what they used together; only under a limit."""
    queued: deque[str] | None = None
    """Tasks that wait for budget, the next one first; entries of tasks that do so no more are passed over."""
    queued_within: dict[str, deque[str]] = NONE
    """The same for those that wait for an account within the run's, by its task: they stand in nobody else's way."""
    called_up: str | None = None
    """The task out of `queued` whose turn it is to be admitted."""
    room: bool = False
    """Whether something was given back since the first of `queued` found no room."""
    stopped: Problem | None = None
    cancelling: str | None = None
    unsigned: bool = False
    """Whether a person has still to agree to the plan: nothing is admitted."""
    failing: bool = False
    """Whether a failed task takes the run with it."""
    aborted: bool = False
    """Whether the run was brought to its end before its plan was carried out."""
    last_words: bool = False
    """Whether the run, brought to its end, is being answered with what there is."""
    closing: bool = False
    """Whether the last task over a partial result has been tried."""
    status: str = "planning"
    """planning, running, replanning, answering, stopped, or the status of RunFinished."""
    finished: bool = False
    """Whether RunFinished is there."""

    def enter(self, count: int) -> int:
        """Count tasks in; return the order of the first of them."""
        order, self.entered = self.entered, self.entered + count
        if not self.entries or self.entries[-1][1] != self.updated:
            self.entries.append((order, self.updated))
        return order

    @property
    def answer_root(self) -> str:
        """The id in the reference that answers the goal; empty while there is none."""
        return self.answer[1:].split(".", 1)[0] if self.answer is not None else ""

    @property
    def idle(self) -> bool:
        """Whether nothing can happen until somebody outside acts."""
        if self.finished:
            return True
        if self.running > self.blocked or self.working:
            return False
        if self.stopped is not None:
            return True
        waits = (not self.ready_count or self.unsigned) and not self.timers
        return waits and bool(self.requests) and len(self.pending) == len(self.requests) + self.running

    @property
    def with_effects(self) -> frozenset[str]:
        """Agents that change the outside world: their tasks wait until the plan is complete."""
        return frozenset(name for name, card in self.catalog.items() if card.effects != "none")

    def settings_of(self, task: Task) -> Policy:
        """Return what the journal alone says of the task: its own settings over the run's."""
        own = task.policy
        return self.policy if own is UNSET or not own.model_fields_set else own.over(self.policy)

    def policy_of(self, task: Task, agent: str | None = None) -> Policy:
        """Return what holds for the task: its own settings over its agent's over the run's."""
        name = agent or task.agent
        base = self.defaults_of(name).policy if name in self.catalog else self.policy
        return base if task.policy is UNSET else task.policy.over(base)

    def change_catalog(self, catalog: Mapping[str, AgentCard]) -> None:
        """Go on with other cards for the team."""
        self.catalog = catalog
        self.defaults.clear()

    def defaults_of(self, agent: str) -> AgentDefaults:
        """Return what holds for the tasks of `agent` that set nothing of their own."""
        found = self.defaults.get(agent)
        if found is None:
            card = self.catalog[agent]
            policy = card.policy.over(self.policy)
            plain = not (card.needs_model or card.asks_model) and policy.approval != "before"
            untracked = card.effects != "none" and not card.tracked
            found = self.defaults[agent] = AgentDefaults(policy, plain, untracked)
        return found

    def key_of(self, state: TaskState) -> str:
        """Return the dispatch key of the task as it stands."""
        if state.revision == state.attempt == state.dispatch == 1:  # as nearly always: numbers take long to write
            return f"{self.run_id}/{state.task.id}/1/1/1"
        return f"{self.run_id}/{state.task.id}/{state.revision}/{state.attempt}/{state.dispatch}"

    def of_key(self, key: str) -> TaskState | None:
        """Return the task whose current, running dispatch is `key`; None when the key is stale."""
        command = self.pending.get(key)
        return self.tasks[command.task] if isinstance(command, Dispatch) else None

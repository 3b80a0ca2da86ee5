"""What is measured side by side, and what else: the rows of the suite, in the order in which they are measured."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Table:
    """A shape that every entrant carries out, in several sizes."""

    name: str
    shape: str
    sizes: tuple[int, ...]
    says: str
    memory: tuple[int, ...] = ()
    """Sizes at which the peak of memory is measured too."""
    recorded: bool = False
    """Whether tasks sleep as long as recorded model calls took."""
    slots: int | None = None
    """How many tasks may be at work at once."""

    def quick(self) -> "Table":
        """Return a tenth of it; what sleeps stays as it is."""
        if self.recorded:
            return self
        return Table(
            self.name, self.shape, tuple(size // 10 for size in self.sizes), self.says,
            tuple(size // 10 for size in self.memory),
        )  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """A program of its own with figures of its own: `benchmarks/NAME.py`, which prints them with `--json`."""

    name: str
    says: str
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] | None = None
    """What is added for a quick look; None where it is left out then."""
    data: bool = False
    """Whether it reads recorded data."""
    durable: bool = False
    """Whether it is done with each entrant that can take up what a killed process has left."""
    prose: bool = False
    """Whether it prints a table of its own, which is kept as it is."""
    limit: float = 600.0
    """Seconds."""


TABLES: Final = (
    Table("chain", "chain", (100, 1_000, 10_000), "tasks one after the other", (1_000, 10_000)),
    Table(
        "fan", "fan", (1_000, 10_000, 100_000), "one task, many that need it, one that needs them", (10_000, 100_000)
    ),
    Table("layered", "layered", (10_000,), "a random DAG in layers of 100, three needs a task", (10_000,)),
    Table("diamonds", "diamonds", (1_000,), "runs of five tasks, all at once", (1_000,)),
    Table("calls", "layered", (200,), "200 tasks as long as recorded model calls, unlimited slots", recorded=True),
    Table("calls_16", "layered", (200,), "the same with 16 slots", recorded=True, slots=16),
)
WORKLOADS: Final = (
    Workload("building", "building a plan and verifying it", quick=("--quick",)),
    Workload("one_durable", "one durable task at a time", quick=("--quick",)),
    Workload(
        "latencies", "200 tasks with the latencies of real model calls, beside the bound",
        quick=("--seconds", "0.5"), data=True,
    ),
    Workload("short", "tasks of 20 ms, no limit on slots", quick=("--repeats", "3"), data=True),
    Workload(
        "load", "many runs at a load of 0.9", ("--seeds", "3"), quick=("--runs", "1000", "--seeds", "1"), data=True
    ),
    Workload(
        "killed", "killed in the middle of a chain, and taken up",
        quick=("--tasks", "200", "--sleep", "0", "0.02"), durable=True,
    ),
    Workload(
        "growth", "bytes and fsyncs a task as a durable chain grows", quick=("--tasks", "100", "1000"), durable=True
    ),
    Workload("syncs", "how often a chain that is durable against power loss waits for the disk", quick=("--quick",)),
    Workload("model_calls", "200 model calls at once", quick=("--repeats", "2")),
    Workload("streaming", "50 agents that stream to one reader", quick=("--seconds", "1", "--repeats", "2")),
    Workload("streamed_plan", "from the first task of a streamed plan to its dispatch", quick=("--repeats", "3")),
    Workload("prompt_size", "tokens of the last prompt as a run grows", quick=("--sizes", "10", "100")),
    Workload("tokens", "tokens sent, beside a full transcript", quick=("--limit", "20"), data=True),
    Workload("start_up", "import, help, and the first event", quick=("--repeats", "3")),
    Workload(
        "makespan", "makespan over the bound on recorded DAGs", quick=("--limit", "10"), data=True, prose=True
    ),
    Workload("repair", "recorded plans that run after deterministic repair alone", quick=(), data=True, prose=True),
    Workload("storm", "fifty agents on one key whose limits a server enforces", ("--minutes", "2"), prose=True),
)  # fmt: skip

"""Every exception that agentorch raises, in one tree.

    AgentorchError
    |- ConfigurationError          the user's set-up: exit code 2
    |  |- AgentFileError           an agent file cannot be used
    |  |- PlanFileError            a plan file cannot be used
    |  |- UnknownAgentError        a name that the registry does not hold
    |  |- PromptError              a template is missing or cannot be rendered
    |  |- FileAccessError          a path outside the folders given, or one that cannot be read
    |  `- MissingExtraError        an optional dependency is not installed
    |- PlanError                   no plan can be made or accepted
    |- ModelError                  a model call failed; `kind` says how
    |  |- ModelTimeout             no answer, or no further word, in time
    |  |- ModelRefusal             the model or a filter declined
    |  `- MalformedOutput          an answer that is not what was asked for
    |- MalformedInput              values that an agent or a tool cannot take (in `agentorch.signatures`)
    |- TransientError              raised by agents: worth another try
    |- PermanentError              raised by agents: not worth another try
    |  |- BudgetExceeded           raised by `context.call`: a limit of the budget kept the other agent from its work
    |  `- EffectNotDone            raised by tools: it is certain that nothing has happened
    |- EffectUnknown               whether an effect has happened is not known: the task waits for a person
    |- RunFailed                   `Outcome.raise_for_problems()`
    |- RunNotFoundError            no such run in this journal
    |- RunOwnedError               a live process owns the run
    |- RunKeyError                 an idempotency key was used for another request
    |- JournalError                the journal cannot be used
    |  |- JournalConflict          another writer was first (compare-and-swap)
    |  |- JournalVersionError      written by a newer version
    |  |- JournalCompacted         the run's events were dropped on purpose; their headers are left
    |  `- JournalDamaged           the hash chain does not hold
    `- BusError                    the bus refused or lost an envelope

Expected failures inside a run are events and end in `Outcome.problems`; these exceptions are for programmer and
environment errors. Every message is one line that names the thing, the value and the remedy.
"""

from enum import StrEnum


class FailureKind(StrEnum):
    """The class of a failed dispatch; it decides which rung of the ladder comes next."""

    TRANSIENT = "transient"
    """429, 5xx, timeout, lost connection, broken stream: back off, then the next dispatch of the same attempt."""
    UNCONFIGURED = "unconfigured"
    """401, 403, insufficient quota, no connection before a first success: the run stops, resumable."""
    INVALID = "invalid"
    """The output breaks its schema or a check: repair first."""
    REFUSED = "refused"
    """The model declined: the same model is not asked again."""
    PERMANENT = "permanent"
    """The agent says that trying again is of no use."""
    CRASH = "crash"
    """Anything else that an agent raised."""
    CANCELLED = "cancelled"
    """Stopped on purpose."""
    BUDGET = "budget"
    """A limit of the budget was reached."""
    UNKNOWN = "unknown"
    """Nobody knows whether an effect has happened: a person decides."""


class AgentorchError(Exception):
    """Root of the tree: catch this to catch everything that agentorch raises on purpose."""


class ConfigurationError(AgentorchError):
    """The set-up cannot work as given; the caller's to mend."""


class AgentFileError(ConfigurationError):
    """An agent file is missing, unreadable or wrong; the message starts with its path."""


class PlanFileError(ConfigurationError):
    """A plan file is missing, unreadable or wrong; the message starts with its path."""


class UnknownAgentError(ConfigurationError):
    """A name that no registered agent bears; the message offers the nearest."""


class PromptError(ConfigurationError):
    """A prompt template is missing, does not compile, or lacks a value."""


class FileAccessError(ConfigurationError):
    """A file or folder that may not or cannot be read."""


class MissingExtraError(ConfigurationError):
    """An optional dependency is not installed; the message names the install line."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra [{extra}]: pip install 'agentorch[{extra}]'")


class PlanError(AgentorchError):
    """No plan: the goal cannot be planned with this team, or the plan has errors (`problems`)."""


class ModelError(AgentorchError):
    """A model call failed; `kind` is its class in the ladder."""

    def __init__(
        self, message: str, *, kind: FailureKind = FailureKind.PERMANENT, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        """How the ladder treats it."""
        self.retry_after = retry_after
        """Seconds that the provider asked to wait, if it did."""


class ModelTimeout(ModelError):
    """The model gave no answer, or no further word, in time."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=FailureKind.TRANSIENT)


class ModelRefusal(ModelError):
    """The model declined, or a content filter cut the answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=FailureKind.REFUSED)


class MalformedOutput(ModelError):
    """The answer is not of the form that was asked for; `text` is what came."""

    def __init__(self, message: str, *, text: str = "") -> None:
        super().__init__(message, kind=FailureKind.INVALID)
        self.text = text


class TransientError(AgentorchError):
    """For agents and tools to raise: the same call may well work later."""

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds to wait before the next try; None leaves it to the back-off."""


class PermanentError(AgentorchError):
    """For agents and tools to raise: the same call will fail again."""


class BudgetExceeded(PermanentError):
    """An agent that was called failed because a limit of the budget was reached: of tokens, calls, depth, tasks, time.

    Where the caller lets it pass, it fails with the same kind: neither another plan nor a person is asked.
    """


class EffectNotDone(PermanentError):
    """For tools with `effect="once"` to raise: it is certain that nothing has happened, and the call may be repeated.

    Any other exception leaves open whether the effect has happened.
    """

    effect: str | None = None
    """The idempotency key of the call that has not happened, once it has left its tool."""


class EffectUnknown(AgentorchError):
    """Nobody knows whether a call of a tool with `effect="once"` has happened; `effect` is its idempotency key."""

    def __init__(self, message: str, *, effect: str) -> None:
        super().__init__(message)
        self.effect = effect


class RunFailed(AgentorchError):
    """Raised by `Outcome.raise_for_problems()`; the message lists the problems."""


class RunNotFoundError(AgentorchError):
    """The journal holds no run of that id."""


class RunOwnedError(AgentorchError):
    """The run is being carried out by a live process."""


class RunKeyError(AgentorchError):
    """The idempotency key belongs to another request."""


class JournalError(AgentorchError):
    """The journal cannot be opened, read or written."""


class JournalConflict(JournalError):
    """The run's sequence number was not the one expected: someone else has written."""


class JournalVersionError(JournalError):
    """The journal was written by a newer version of agentorch."""


class JournalCompacted(JournalError):
    """The events of a finished run were dropped by `agentorch journal compact`; only their headers are left."""


class JournalDamaged(JournalError):
    """Stored events do not match their hash chain; the message names run and seq."""


class BusError(AgentorchError):
    """The bus cannot take or deliver an envelope."""

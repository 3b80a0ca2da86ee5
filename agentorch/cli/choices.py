"""What `agentorch approve` was given, in the form that a request asks for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from agentorch.cli.typed_answers import takes_text_alone
from agentorch.cli.words import one_line
from agentorch.core.requests import problems_of_answer
from agentorch.core.shapes import branches, described, kind_of
from agentorch.core.state import Request
from agentorch.documents import DocumentError, read_json
from agentorch.errors import ConfigurationError
from agentorch.plans import Plan


class Given(NamedTuple):
    """What was given as an answer."""

    chosen: tuple[str, ...] = ()
    value: str | None = None
    plan: Path | None = None


NOTHING: Final = Given()
_TAKES_VALUE: Final = frozenset({"", "done"})
"""Choices beside which a value may stand."""


def answer_of(request: Request, given: Given) -> Any:
    """Return the answer; ConfigurationError when it is none to this request."""
    choice = _choice(given)
    if given.plan is not None:
        answer: Any = {"plan": Plan.from_file(given.plan).to_dict()}
    else:
        value = None if given.value is None else _value(request, given.value)
        answer = _ANSWERS.get((request.kind, choice), _refused)(value)
    if answer is _refused or (given.plan is not None and request.kind != "plan"):
        what = "--plan" if given.plan is not None else f"--{choice}" if choice else "--value alone"
        raise ConfigurationError(
            f"{request.request_id}: {what} is no answer to this {request.kind}; give {options_of(request)}"
        )
    problems = problems_of_answer(request, answer)
    if problems and choice == "done" and given.value is None:
        raise ConfigurationError(f"{request.request_id}: say what it gave: --done --value JSON")
    if problems:
        raise ConfigurationError(f"{request.request_id}: {'; '.join(problems)}")
    return answer


def options_of(request: Request) -> str:
    """Return what may be given, as it is typed."""
    schema = request.answer_schema
    if request.kind == "question":
        kinds = {kind_of(branch) for branch in branches(schema, schema)}
        return "--yes, --no" if kinds == {"boolean"} else f"--value JSON ({one_line(described(schema))})"
    return _OPTIONS.get(request.kind, "--value JSON")


def _choice(given: Given) -> str:
    """Return the one thing that was chosen."""
    chosen = [*given.chosen, *(["plan"] if given.plan is not None else [])]
    if len(chosen) > 1:
        raise ConfigurationError(f"--{chosen[0]} and --{chosen[1]} say different things: give one")
    choice = chosen[0] if chosen else ""
    if given.value is not None and choice not in _TAKES_VALUE:
        raise ConfigurationError(f"--{choice} takes no --value: give one of them")
    return choice


def _refused(value: Any) -> Any:
    del value
    return _refused


def _said(answer: Any) -> Callable[[Any], Any]:
    return lambda _: answer


_ANSWERS: Final[Mapping[tuple[str, str], Callable[[Any], Any]]] = {
    ("approval", "yes"): _said(True),
    ("approval", "no"): _said(False),
    ("plan", "yes"): _said(True),
    ("plan", "no"): _said(False),
    ("effect", "done"): lambda value: "done" if value is None else {"done": value},
    ("effect", "retry"): _said("retry"),
    ("effect", "skip"): _said("skip"),
    ("failure", "done"): lambda value: {"output": value},
    ("failure", "retry"): _said("retry"),
    ("failure", "skip"): _said("fail"),
    ("question", ""): lambda value: value,
    ("question", "yes"): _said(True),
    ("question", "no"): _said(False),
}
"""What a choice means for each kind of request."""
_OPTIONS: Final[Mapping[str, str]] = {
    "approval": "--yes, --no",
    "plan": "--yes, --no, --plan FILE",
    "effect": "--done --value JSON (it has happened, and gave this), --done (it gives nothing), --retry, --skip",
    "failure": "--done --value JSON (the output), --retry, --skip",
}


def _value(request: Request, said: str) -> Any:
    """Return what was said, as JSON if it is some, else as text; text it is where a question asks for nothing else."""
    if request.kind == "question" and takes_text_alone(request.answer_schema):
        return said
    try:
        return read_json(said)
    except DocumentError as error:
        if error.line is not None:  # no JSON at all
            return said
        raise ConfigurationError(f"{request.request_id}: --value: {error}") from None

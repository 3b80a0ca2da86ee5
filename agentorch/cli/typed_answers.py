"""What a person types, in the form that a request asks for."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from agentorch.core.requests import problems_of_answer
from agentorch.core.shapes import branches, choices, described, kind_of
from agentorch.core.state import Request
from agentorch.documents import DocumentError, read_json

_YES, _NO = frozenset({"y", "yes"}), frozenset({"n", "no"})
_RESULT: Final[Mapping[str, str]] = {"failure": "output", "effect": "done"}
"""Under which name an answer gives a value in the place of what an agent or a tool would have given."""
_WHAT: Final[Mapping[str, str]] = {"failure": "the output as JSON", "effect": "what it gave as JSON"}


class Unfit(NamedTuple):
    """What was typed is no answer; `words` say what one would be."""

    words: str


def prompt_of(request: Request) -> str:
    """Return what stands before the cursor: the answers that there are."""
    if request.kind in {"approval", "plan"}:
        return "[y/N] "
    if request.kind in _WHAT:
        return f"[{'/'.join(_words(request))}, or {_WHAT[request.kind]}] "
    schema = request.answer_schema
    if _is_yes_or_no(schema):
        return "[y/n] "
    listed = [str(one) for branch in branches(schema, schema) for one in choices(branch) or ()]
    what = "/".join(listed) if listed else described(schema)
    return "> " if _takes_text(schema) and not listed else f"[{what}] "


def takes_text_alone(schema: dict[str, Any]) -> bool:
    """Whether an answer is text, whatever it looks like."""
    return {kind_of(branch) for branch in branches(schema, schema)} == {"string"}


def answer_from(request: Request, said: str) -> Any:
    """Return what was typed as an answer to `request`; Unfit when it is none."""
    if request.kind in {"approval", "plan"}:
        return _yes_or_no(said or "n")
    if request.kind in _RESULT:
        return _remedy(request, said)
    schema = request.answer_schema
    if _is_yes_or_no(schema) and said.lower() in _YES | _NO:
        return said.lower() in _YES
    problems: tuple[str, ...] = ()
    for value in _readings(said, schema):
        problems = problems_of_answer(request, value)
        if not problems:
            return value
    return Unfit("; ".join(problems))


def _yes_or_no(said: str) -> Any:
    word = said.lower()
    return word in _YES if word in _YES | _NO else Unfit("say y or n")


def _remedy(request: Request, said: str) -> Any:
    words = _words(request)
    if said in words:
        return said
    try:
        value = {_RESULT[request.kind]: read_json(said)}
    except DocumentError:
        return Unfit(f"say {', '.join(words)}, or give {_WHAT[request.kind]}: text stands in quotes")
    problems = problems_of_answer(request, value)
    return Unfit("; ".join(problems)) if problems else value


def _words(request: Request) -> list[str]:
    schema = request.answer_schema
    return [one for branch in branches(schema, schema) for one in choices(branch) or () if isinstance(one, str)]


def _readings(said: str, schema: dict[str, Any]) -> Iterator[Any]:
    """Go through what was typed as JSON and as text, the likelier first."""
    if takes_text_alone(schema):
        yield said
        return
    kinds = {kind_of(branch) for branch in branches(schema, schema)}
    try:
        yield read_json(said)
    except DocumentError:
        yield said
    else:
        if "string" in kinds:
            yield said


def _is_yes_or_no(schema: dict[str, Any]) -> bool:
    return {kind_of(branch) for branch in branches(schema, schema)} == {"boolean"}


def _takes_text(schema: dict[str, Any]) -> bool:
    kinds = {kind_of(branch) for branch in branches(schema, schema)}
    return bool(kinds & {"string", None})

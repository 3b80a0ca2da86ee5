"""A model that was asked once, and whose answers are read back: the same test without a server, a key or a price.

    model = RecordedModel("tests/recordings/poet.jsonl", "gpt-5-mini")

1. An answer is found by who asks and what, and by how often that was asked before; never by the order in which
   different requests arrive.
2. Ids of runs are no part of what is asked, and secrets are not written: `secrets`, what looks like one, the key of
   the model and that of the environment. `ignore` names whatever else changes from one run to the next, as regular
   expressions.
3. What goes wrong is not recorded: an answer that did not come is asked for again.
4. A file is changed only when something is recorded.
"""

import os
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any, Final, Literal

from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError
from agentorch.models.access import secrets as secrets_in
from agentorch.models.opening import provider_named_by
from agentorch.ports.model import Model, ModelRequest, ModelResponse, OnDelta, ToolCall, is_priced, secrets_of, used_by
from agentorch.runtime.opener import Opener
from agentorch.runtime.redaction import Redactor, Secrets
from agentorch.testing.cassette import Cassette, Recording, asked
from agentorch.testing.script_rule import difference, labelled
from agentorch.testing.scripted_model import ScriptMiss
from agentorch.tokens import estimate

Mode = Literal["auto", "replay", "record"]
_MODES: Final = ("auto", "replay", "record")
_RUN_ID: Final = r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b"
_IGNORED: Final = "[ignored]"


class RecordingMiss(ScriptMiss):
    """The model was asked something that was not recorded: the prompt has changed, or it was never recorded."""


class RecordedModel:
    """A `Model` over the file `path`; see the rules above.

    `model` is a name, as an orchestrator takes it, or a `Model`; it is opened when something is to be recorded.
    `mode`: "auto" replays what is recorded and records what is not (with a model; without one, that is a miss),
    "replay" never asks, "record" asks for everything and replaces what the same requests had.
    """

    def __init__(
        self, path: str | os.PathLike[str], model: str | Model | None = None, *, mode: Mode = "auto",
        secrets: Secrets = (), ignore: str | Sequence[str] = (),
    ) -> None:  # fmt: skip
        if mode not in _MODES:
            raise ConfigurationError(f"RecordedModel: mode={mode!r}; it can be {', '.join(_MODES)}")
        if mode == "record" and model is None:
            raise ConfigurationError("RecordedModel: mode='record' needs the model that is recorded: give model=")
        self.name = model if isinstance(model, str) else model.name if model is not None else "recorded"
        self.misses: list[str] = []
        """What was asked and is not recorded."""
        self._cassette = Cassette(path)
        self._mode = mode
        self._given = model
        self._model: Model | None = None
        self._secrets = secrets
        self._redactor = Redactor(secrets, known=_known_to(model))
        self._ignore = re.compile("|".join([_RUN_ID, *map(_checked, [ignore] if isinstance(ignore, str) else ignore)]))
        self._asked: Counter[str] = Counter()
        self._recorded: Counter[str] = Counter()

    @property
    def priced(self) -> bool:
        """Whether the price of its calls is known: as a recording says, or as the model does."""
        return self._model is None or is_priced(self._model)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those of the model that is recorded, and the key of the environment that a model of that name asks with."""
        return tuple(dict.fromkeys([*_known_to(self._given), *secrets_of(self._model)]))

    def cost(self, usage: Usage) -> float | None:
        """Return what the model that is recorded would cost; None when only recordings are at hand."""
        cost: Any = getattr(self._model, "cost", None)
        return None if cost is None else cost(usage)

    def count(self, text: str) -> int:
        """Return a count from the length alone: the same when it is recorded and replayed, so that prompts are."""
        return estimate(text)

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Return the recorded answer; else record one, or raise `RecordingMiss`."""
        key, labels, text = self._as_asked(request)
        self._asked[key] += 1
        found = None if self._mode == "record" else self._cassette.find(key, self._asked[key])
        if found is not None:
            return _replayed(found, on_delta)
        if self._mode == "replay" or self._given is None:
            self.misses.append(self._miss(key, labels, text))
            raise RecordingMiss(self.misses[-1])
        pieces: list[str] = []

        def heard(piece: str) -> None:
            pieces.append(piece)
            if on_delta is not None:
                on_delta(piece)

        model = self._open(self._given)
        answer = await model.complete(request, on_delta=heard if on_delta is not None else None)
        self._keep(Recording(*self._as_asked(request), answer), pieces)  # a model that is open may know more secrets
        return answer

    async def close(self) -> None:
        """Release the model that was recorded."""
        if self._model is not None:
            await self._model.close()

    def never_replayed(self) -> list[str]:
        """Return the recordings that nobody has asked for, in words: what a changed prompt leaves behind."""
        return [
            f"{labelled(one.labels)}, number {one.number} of {key}"
            for (key, number), one in self._cassette.recordings.items()
            if number > self._asked[key]
        ]

    def _open(self, given: str | Model) -> Model:
        if self._model is None:
            self._model = Opener()(given)
            assert self._model is not None
            self._redactor = Redactor(self._secrets, known=self.secrets)
        return self._model

    def _as_asked(self, request: ModelRequest) -> tuple[str, dict[str, str], str]:
        return asked(request, self._clean, self._redactor.text)

    def _clean(self, text: str) -> str:
        return self._ignore.sub(_IGNORED, self._redactor.text(text))

    def _keep(self, recording: Recording, pieces: Sequence[str]) -> None:
        key, answer = recording.key, recording.answer
        first = self._mode == "record" and not self._recorded[key]
        self._recorded[key] += 1
        number = self._recorded[key] if self._mode == "record" else self._cassette.count(key) + 1
        usage = answer.usage
        if not usage.money and (money := self.cost(usage)):
            usage = replace(usage, money=money)
        usage = used_by(self._model, usage)  # where nobody knows the price, that is recorded too
        text = self._redactor.text(answer.text)
        calls = tuple(
            ToolCall(*map(self._redactor.text, (one.id, one.name, one.arguments))) for one in answer.tool_calls
        )
        refusal = None if answer.refusal is None else self._redactor.text(answer.refusal)
        kept = replace(answer, text=text, tool_calls=calls, refusal=refusal, usage=usage, extra={})
        whole = "".join(pieces) == text and len(pieces) > 1
        lengths = tuple(map(len, pieces)) if whole else ()
        self._cassette.add(replace(recording, answer=kept, number=number, pieces=lengths), anew=first)

    def _miss(self, key: str, labels: dict[str, str], text: str) -> str:
        path, times = self._cassette.path, self._cassette.count(key)
        lines = [f"{path} has no recording of this request ({labelled(labels)}):", textwrap.indent(text, "    ")]
        if times:
            lines.append(f"it was recorded {times} times, and is asked for once more")
        elif near := self._nearest(labels, text):
            lines.append(f"the nearest recording ({labelled(near.labels)}) differs so:")
            lines += [f"    {line}" for line in difference(near.request, text, names=("recorded", "asked now"))]
        else:
            lines.append("it holds no recordings")
        model = "the name of a model" if self._given is None else self.name
        lines.append(
            f"record it: RecordedModel({str(path)!r}, {model!r}) with its key set, and pytest --agentorch-network"
        )
        return "\n".join(lines)

    def _nearest(self, labels: dict[str, str], text: str) -> Recording | None:
        words = set(text.split())

        def nearness(one: Recording) -> tuple[int, float]:
            same = sum(one.labels.get(name) == value for name, value in labels.items())
            theirs = set(one.request.split())
            return same, len(words & theirs) / len(words | theirs)

        return max(self._cassette.recordings.values(), key=nearness, default=None)


def _checked(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConfigurationError(
            f"RecordedModel: ignore={pattern!r} is no regular expression: {error}; re.escape() makes one of a text"
        ) from error
    return f"(?:{pattern})"


def _known_to(model: str | Model | None) -> tuple[str, ...]:
    """Return the secrets that a model has, without opening it, and those that the environment has for it."""
    own = secrets_of(model)
    try:
        key, url = provider_named_by(os.environ)
    except ConfigurationError:  # told when the model is opened; a replay needs neither
        return own
    return own + secrets_in(url or "", key)


def _replayed(recording: Recording, on_delta: OnDelta | None) -> ModelResponse:
    answer = recording.answer
    if on_delta is not None:
        ends = [0, *accumulate(recording.pieces or [len(answer.text)])]
        for start, end in pairwise(ends):
            if piece := answer.text[start:end]:
                on_delta(piece)
    return answer

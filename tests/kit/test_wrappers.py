"""Every model that stands before another one passes on what the other says of itself."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agentorch
from agentorch.core.usage import Usage
from agentorch.models import GovernedModel, Governor, OpenAIModel
from agentorch.ports.model import Message, Model, ModelRequest, ModelResponse, OnDelta, is_priced, secrets_of
from agentorch.testing import FaultyModel, RecordedModel, ScriptedModel
from agentorch.tokens import estimate

KEY = "a key that looks like no key"
LEAVES = {OpenAIModel, ScriptedModel}


class Below:
    """A model that has something of everything."""

    name = "below"
    secrets = (KEY,)

    def __init__(self) -> None:
        self.priced = True
        self.closed = 0

    def cost(self, usage: Usage) -> float | None:
        return usage.output_tokens * 2.0

    def count(self, text: str) -> int:
        return len(text)

    async def close(self) -> None:
        self.closed += 1

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        for piece in ("An ", "ode"):
            if on_delta is not None:
                on_delta(piece)
        return ModelResponse(f"An ode of {KEY}", "stop", usage=Usage(3, 4), model=self.name)


def governed(below: Model, folder: Path) -> Model:
    return GovernedModel(below, Governor("below"))


def faulty(below: Model, folder: Path) -> Model:
    return FaultyModel(below)


def recorded(below: Model, folder: Path) -> Model:
    return RecordedModel(folder / "answers.jsonl", below)


WRAPPERS: dict[type, Callable[[Model, Path], Model]] = {
    GovernedModel: governed,
    FaultyModel: faulty,
    RecordedModel: recorded,
}


def models_of_the_package() -> set[type]:
    """Return every class that can be asked as a model is."""
    names = [one.name for one in pkgutil.walk_packages(agentorch.__path__, "agentorch.")]
    modules = [importlib.import_module(name) for name in names if "__main__" not in name]
    classes = {one for module in modules for _, one in inspect.getmembers(module, inspect.isclass)}
    ours = {one for one in classes if one.__module__.startswith("agentorch.")}
    return {one for one in ours if all(hasattr(one, name) for name in ("complete", "count", "close"))} - {Model}


def test_no_wrapper_is_forgotten() -> None:
    """A new one is to be named above."""
    assert models_of_the_package() == LEAVES | {*WRAPPERS}


@pytest.mark.parametrize("made", [pytest.param(made, id=kind.__name__) for kind, made in WRAPPERS.items()])
@pytest.mark.parametrize("priced", [True, False])
async def test_a_wrapper_passes_all_on(made: Callable[[Model, Path], Model], priced: bool, tmp_path: Path) -> None:
    """What it is called, what must be written nowhere, what it costs, its pieces, its answer, and its end."""
    below = Below()
    below.priced = priced
    wrapper: Any = made(below, tmp_path)
    known_before = secrets_of(wrapper)
    pieces: list[str] = []
    answer = await wrapper.complete(ModelRequest((Message("user", "Hello?"),)), on_delta=pieces.append)
    await wrapper.close()
    # A recording counts by length alone: the same when it is recorded and when it is replayed.
    counted = estimate("four") if isinstance(wrapper, RecordedModel) else 4
    assert (wrapper.name, wrapper.count("four"), is_priced(wrapper), wrapper.cost(Usage(0, 2))) == (
        "below", counted, priced, 4.0
    )  # fmt: skip
    assert KEY in known_before
    assert KEY in secrets_of(wrapper)
    assert (pieces, answer.text, below.closed) == (["An ", "ode"], f"An ode of {KEY}", 1)


@pytest.mark.parametrize("between", [faulty, governed])
async def test_a_recording_through_a_wrapper_holds_no_key(
    between: Callable[[Model, Path], Model], tmp_path: Path
) -> None:
    """Neither in what is asked nor in what is answered; and it is found again."""
    path = tmp_path / "answers.jsonl"
    request = ModelRequest((Message("user", f"What is {KEY}?"),))
    for _ in range(2):
        model = RecordedModel(path, between(Below(), tmp_path))
        await model.complete(request)
        assert KEY not in path.read_text("utf-8")
    assert len(path.read_text("utf-8").splitlines()) == 1

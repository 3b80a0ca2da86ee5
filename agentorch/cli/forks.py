"""`agentorch fork`: a new run out of another one's journal."""

from collections.abc import Sequence
from typing import Any

from agentorch.cli.carrying import Foreground
from agentorch.cli.running import as_it_was_given, carried, recorded
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.words import short_id
from agentorch.documents import DocumentError, read_json
from agentorch.errors import ConfigurationError
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.run import Run


def fork_run(run: str, at: int, outputs: Sequence[str], setup: Setup, *, effects: bool, json: bool, quiet: bool) -> int:
    """Fork a run, with what it was given where it is not given anew; return the exit code."""
    values = _outputs(outputs)
    screen = Screen()
    record = recorded(run, setup)
    whole = as_it_was_given(record, setup, screen)

    async def begin(orchestrator: Orchestrator) -> Run:
        fork = await orchestrator.start_fork(record.run_id, at=at, outputs=values, allow_effects=effects)
        screen.say(f"run {short_id(fork.id)} is a fork of {short_id(record.run_id)} at {at}", "dim", whole=True)
        return fork

    return carried(whole, begin, Foreground(screen, whole, json=json, quiet=quiet))


def _outputs(given: Sequence[str]) -> dict[str, Any]:
    """Return what `--set TASK=JSON` says; text that is no JSON is refused, lest a typing error become an output."""
    outputs: dict[str, Any] = {}
    for one in given:
        name, found, value = one.partition("=")
        if not found or not name.strip():
            raise ConfigurationError(f"--set {one!r}: write it as TASK=JSON")
        if name.strip() in outputs:
            raise ConfigurationError(f"--set {one!r}: {name.strip()} is set twice: set it once")
        try:
            outputs[name.strip()] = read_json(value)
        except DocumentError as error:
            raise ConfigurationError(
                f"--set {one!r}: {value!r:.80} is no JSON ({error}); text stands in quotes: --set '{name}=\"...\"'"
            ) from None
    return outputs

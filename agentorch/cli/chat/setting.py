"""Commands of a chat that say what holds for its next turns: model, files, context, budget."""

from dataclasses import replace
from typing import Final

from pydantic import ValidationError

from agentorch.cli.chat.chat import Chat
from agentorch.cli.chat.recall import BUDGET
from agentorch.cli.local_servers import look
from agentorch.cli.words import counted, one_line
from agentorch.core.nearest import did_you_mean
from agentorch.core.usage import Budget
from agentorch.errors import ConfigurationError
from agentorch.files import at_home
from agentorch.models.access import shown

_NONE: Final = frozenset({"none", "off"})
_LIMITS: Final = {"money": "max_money", "tokens": "max_tokens", "calls": "max_calls", "seconds": "max_seconds"}
_FEW: Final = 3


async def model(chat: Chat, argument: str) -> None:
    """Say, or set, which models are tried in order; a model of a server on this machine is asked there, with no key."""
    names = argument.replace(",", " ").split()
    screen = chat.front.screen
    if names:
        if len(names) == 1 and names[0].lower() in _NONE:
            chat.change(replace(chat.setup, model=(), server=None))
        else:
            server = await _server_of(chat, names)
            chat.change(replace(chat.setup, model=tuple(names), server=server, key_unused=False))
    where = f" at {shown(chat.setup.server)}" if chat.setup.server else ""
    models = ", ".join(chat.setup.model)
    screen.say(f"model: {models}{where}" if models else "model: none; answers are extracted from your files")
    if not names:
        for server in await look(chat.setup.local_ports):
            screen.dim(f"found at {shown(server.url)}: {', '.join(server.models) or 'no model'}; /model NAME uses one")


async def _server_of(chat: Chat, names: list[str]) -> str | None:
    """Return the server on this machine that has all these models; None for the one that the environment names."""
    for server in await look(chat.setup.local_ports):
        if server.models and set(names) <= set(server.models):
            chat.front.screen.dim(f"{', '.join(names)}: found at {shown(server.url)}, and asked there")
            return server.url
    return None


async def files(chat: Chat, argument: str) -> None:
    """Say, or change, what agents may read."""
    given = [part.replace("\0", " ") for part in argument.replace("\\ ", "\0").split()]
    gone = [path[1:] for path in given if path.startswith("-")]
    for path in gone:
        if str(at_home(path)) not in chat.setup.files:
            listed = did_you_mean(path, chat.setup.files) or "/files lists them"
            raise ConfigurationError(f"{path} is not attached: {listed}")
    new = [path for path in given if not path.startswith("-")]
    for path in new:
        if not at_home(path).exists():
            raise ConfigurationError(f"{path}: no such file or folder")
    if gone:
        left = tuple(file for file in chat.setup.files if file not in {str(at_home(path)) for path in gone})
        chat.change(replace(chat.setup, files=left))
    chat.attach(tuple(new))
    screen = chat.front.screen
    screen.lines("\n".join(chat.setup.files) or "no files: /files PATH, or @PATH in what you say, attaches some")


async def context(chat: Chat, argument: str) -> None:
    """Say what the next turn would see of the chat, and set how much that may be."""
    screen = chat.front.screen
    if argument:
        if not argument.isdecimal():
            raise ConfigurationError(f"/context {argument}: give a number of tokens, such as /context {BUDGET}")
        chat.record.context = int(argument)
        chat.record.save()
    seen = chat.recalled("")
    for turn in seen:
        first = one_line(turn.text.splitlines()[0])
        screen.say(f"{first[:60]}  {turn.tokens:,} tokens{', cut' if turn.is_cut else ''}")
    used = sum(turn.tokens for turn in seen)
    left_out = len(chat.turns) - len(seen)
    without = f"; {counted(left_out, 'turn')} left out, but for what fits the next thing you say" if left_out else ""
    screen.say(f"{used:,} of {chat.context:,} tokens{without}")


async def budget(chat: Chat, argument: str) -> None:
    """Say, or set, the limits of each turn."""
    given = argument.split()
    if len(given) == 1 and given[0].lower() in _NONE:
        chat.record.limits = {}
    elif given:
        chat.record.limits = {**chat.record.limits, **dict(_limit(part) for part in given)}
    chat.record.save()
    names = {limit: name for name, limit in _LIMITS.items()}
    limits = [f"{names[limit]}={value:g}" for limit, value in chat.record.limits.items() if limit in names]
    chat.front.screen.say(f"budget of each turn: {' '.join(limits)}" if limits else "budget: no limit")


def _limit(part: str) -> tuple[str, float]:
    name, _, value = part.partition("=")
    if name not in _LIMITS:
        known = did_you_mean(name, _LIMITS)
        raise ConfigurationError(f"/budget {part}: {known or ''} write it as money=0.10")
    try:
        number = float(value)
        checked = Budget.model_validate({_LIMITS[name]: number})
    except (ValueError, ValidationError):
        raise ConfigurationError(f"/budget {part}: {value!r} is no limit; write it as {name}=10") from None
    return _LIMITS[name], getattr(checked, _LIMITS[name])

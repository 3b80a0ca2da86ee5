"""Commands of a chat that say what holds for its next turns: model, files, context, budget."""

import math
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import ValidationError

from agentorch.cli.chat.chat import Chat
from agentorch.cli.chat.recall import BUDGET
from agentorch.cli.chat.typed_message import is_there
from agentorch.cli.local_servers import LocalServer, look
from agentorch.cli.settings import Setup
from agentorch.cli.words import counted, one_line
from agentorch.core.nearest import did_you_mean
from agentorch.core.usage import Budget
from agentorch.errors import ConfigurationError
from agentorch.files import at_home
from agentorch.models.access import shown

_NONE: Final = frozenset({"none", "off"})
_LIMITS: Final = {"money": "max_money", "tokens": "max_tokens", "calls": "max_calls", "seconds": "max_seconds"}
_FEW: Final = 3
LOCAL: Final = "local:"
"""Begins the name of a model on this machine."""
_PROVIDER: Final = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
_DIGITS: Final = 9
_PARTS: Final = re.compile(r"(?:\\[\s\\]|\S)+")
_ESCAPED: Final = re.compile(r"\\([\s\\])")
r"""A blank within a path, and a `\`; another `\` stands for itself."""


async def model(chat: Chat, argument: str) -> None:
    """Say, or set, which models are tried in order: the environment's, or `local:NAME` of this machine."""
    names = argument.replace(",", " ").split()
    screen = chat.front.screen
    if len(names) == 1 and names[0].lower() in _NONE:
        chat.change(replace(chat.setup, model=(), server=None))
    elif names:
        bare = tuple(name.removeprefix(LOCAL) for name in names)
        is_local = any(name.startswith(LOCAL) for name in names)
        server = await _local(names, chat.setup, said=f"/model {' '.join(names)}") if is_local else None
        if server is None and not any(os.environ.get(name) for name in _PROVIDER):
            raise ConfigurationError(f"/model {argument}: no server is named: {await _remedy(chat)}")
        chat.change(replace(chat.setup, model=bare, server=server, key_unused=False))
    where = shown(chat.setup.server or os.environ.get("OPENAI_BASE_URL") or "api.openai.com")
    models = ", ".join(chat.setup.model)
    screen.say(f"model: {models}, at {where}" if models else "model: none; answers are extracted from your files")
    if not names:
        for found in await look(chat.setup.local_ports):
            screen.dim(offer(found))


async def reached(setup: Setup) -> Setup:
    """Return the set-up with the server of this machine that has its `local:` models, where it names such."""
    if not any(name.startswith(LOCAL) for name in setup.model):
        return setup
    server = await _local(setup.model, setup, said=f"model {' '.join(setup.model)}")
    return replace(setup, model=tuple(name.removeprefix(LOCAL) for name in setup.model), server=server)


async def _local(names: Sequence[str], setup: Setup, *, said: str) -> str:
    """Return the server on this machine that has all these models."""
    if not all(name.startswith(LOCAL) for name in names):
        raise ConfigurationError(f"{said}: models of one server only: all local:, or none")
    servers = await look(setup.local_ports)
    for server in servers:
        if {name.removeprefix(LOCAL) for name in names} <= set(server.models):
            return server.url
    there = "; ".join(offer(server) for server in servers) or "no server was found on this machine"
    raise ConfigurationError(f"{said}: {there}")


async def _remedy(chat: Chat) -> str:
    servers = await look(chat.setup.local_ports)
    found = "; ".join(offer(server) for server in servers)
    return f"set OPENAI_API_KEY or OPENAI_BASE_URL{f', or: {found}' if found else ''}"


def offer(server: LocalServer) -> str:
    """Say what is found on this machine, and how it is used."""
    models = " ".join(f"/model {LOCAL}{name}" for name in server.models[:_FEW])
    return f"a model server is at {server.url}: {models or 'it has no model'}"


async def files(chat: Chat, argument: str) -> None:
    """Say, or change, what agents may read."""
    given = [_ESCAPED.sub(r"\1", part) for part in _PARTS.findall(argument)]
    gone = [path[1:] for path in given if path.startswith("-")]
    for path in gone:
        if str(at_home(path)) not in chat.setup.files:
            listed = did_you_mean(path, chat.setup.files) or "/files lists them"
            raise ConfigurationError(f"{path} is not attached: {listed}")
    new = [path for path in given if not path.startswith("-")]
    for path in new:
        if not is_there(path):
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
        if not argument.isdecimal() or len(argument) > _DIGITS:
            raise ConfigurationError(f"/context {argument}: give a number of tokens, such as /context {BUDGET}")
        chat.record.context = int(argument)
        chat.keep()
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
    chat.keep()
    names = {limit: name for name, limit in _LIMITS.items()}
    limits = [f"{names[limit]}={_number(value)}" for limit, value in chat.record.limits.items() if limit in names]
    chat.front.screen.say(f"budget of each turn: {' '.join(limits)}" if limits else "budget: no limit")


def _limit(part: str) -> tuple[str, float]:
    name, _, value = part.partition("=")
    if name not in _LIMITS:
        known = did_you_mean(name, _LIMITS)
        raise ConfigurationError(f"/budget {part}: {f'{known}; ' if known else ''}write it as money=0.10")
    try:
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(value)  # noqa: TRY301
        checked = Budget.model_validate({_LIMITS[name]: number})
    except (ValueError, ValidationError):
        raise ConfigurationError(f"/budget {part}: {value!r} is no limit; write it as {name}=10") from None
    return _LIMITS[name], getattr(checked, _LIMITS[name])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"

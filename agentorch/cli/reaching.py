"""Whether a model's server answers, and knows the key and the model: one short request that costs nothing."""

import os
from typing import Final, Literal

from agentorch.errors import ConfigurationError
from agentorch.models.access import shown
from agentorch.models.opening import provider_named_by

_SECONDS: Final = 5.0
_REFUSED: Final = frozenset({401, 403})

Reached = tuple[Literal["ok", "note", "wrong"], str, str]
"""Mark, what was found, remedy."""


async def reach(model: str) -> Reached:
    """Ask the server for its list of models."""
    import openai

    try:
        key, url = provider_named_by(os.environ)
    except ConfigurationError as error:
        return "wrong", f"{model}: {error}", ""
    if not key and not url:
        return "wrong", f"{model}: no key and no server", "set OPENAI_API_KEY, or OPENAI_BASE_URL for another server"
    address = url or "https://api.openai.com/v1"
    where = shown(address)
    try:
        async with openai.AsyncOpenAI(
            api_key=key or "no-key-needed", base_url=address, timeout=_SECONDS, max_retries=0
        ) as client:
            known = [listed.id async for listed in client.models.list()]
    except openai.APIStatusError as error:
        return _status(model, where, error.status_code)
    except (openai.APIConnectionError, openai.OpenAIError):
        return "wrong", f"{model}: {where} cannot be reached", "check OPENAI_BASE_URL, the network and the server"
    except Exception as error:  # noqa: BLE001  # whatever answers there, it is no list of models
        return "note", f"{model}: {where} answers, with no list of models ({type(error).__name__})", ""
    if known and model.removeprefix("openai/") not in known and model not in known:
        few = ", ".join(sorted(known)[:5])
        return "wrong", f"{model}: {where} does not list it", f"use one of its models, such as {few}"
    return "ok", f"{model}: {where} answers", ""


def _status(model: str, where: str, status: int) -> Reached:
    if status in _REFUSED:
        return "wrong", f"{model}: {where} refuses the key ({status})", "set OPENAI_API_KEY to a key that it knows"
    if status in {404, 405}:
        return "note", f"{model}: {where} answers, and has no list of models", ""
    return "wrong", f"{model}: {where} answers with status {status}", "try again later, or see the server's own log"

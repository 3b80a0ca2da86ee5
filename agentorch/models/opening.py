"""From a model's name to a model: the one place that reads the key and the base URL, as the `openai` SDK does."""

import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from agentorch.errors import ConfigurationError
from agentorch.models import governor
from agentorch.models.access import checked_key, checked_url
from agentorch.models.governed import GovernedModel
from agentorch.models.openai_model import Counted, OpenAIModel, rough
from agentorch.models.pricing import Prices
from agentorch.models.provider import OPENAI
from agentorch.models.quirks import Quirks
from agentorch.ports.model import Model

_PREFIX = "openai/"
_KEY, _URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"


def open_model(
    spec: "str | Model | None",
    *,
    count: Callable[[str, str], Counted] = rough,
    governors: governor.Governors = governor.PROCESS,
    prices: Prices | None = None,
    quirks: Quirks | Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Model | None:
    """Return the model that `spec` names, governed; None is no model.

    An `OpenAIModel` is governed too, with all others that use its key; any other `Model` is returned as it is.

    "gpt-5-mini" and "openai/gpt-5-mini" are the same at OpenAI. Other servers get the name as it is written: there,
    "openai/gpt-oss-20b" is a name of its own. `count` is `agentorch.tokens.count`. Raises ConfigurationError when
    there is neither a key nor a base URL.
    """
    if isinstance(spec, OpenAIModel):
        traffic = governors.get(*spec.provider)
        return GovernedModel(spec.completed(traffic=traffic, count=count), traffic)
    if spec is None or not isinstance(spec, str):
        return spec
    api_key, base_url = provider_named_by(environment)
    name = _checked_name(spec, base_url)
    if api_key is None and base_url is None:
        raise ConfigurationError(
            f"model {spec!r}: OPENAI_API_KEY is not set; set it, or set OPENAI_BASE_URL to the address of a compatible "
            "server, or leave the model out"
        )
    where = base_url or OPENAI
    traffic = governors.get(where, api_key)
    model = OpenAIModel(
        name, api_key=api_key, base_url=where, quirks=quirks, count=count, prices=prices, traffic=traffic
    )
    return GovernedModel(model, traffic)


def provider_named_by(environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the key and the base URL that the environment gives, None for each that it does not.

    Raises ConfigurationError in one line, without a secret, for one that cannot work.
    """
    base_url = environment.get(_URL, "").strip()
    return checked_key(environment.get(_KEY), name=_KEY), checked_url(base_url, name=_URL) if base_url else None


def _checked_name(spec: str, base_url: str | None) -> str:
    at_openai = base_url is None or urlsplit(base_url).hostname == urlsplit(OPENAI).hostname
    name = spec.strip().removeprefix(_PREFIX) if at_openai else spec.strip()
    if not name:
        raise ConfigurationError(f"model {spec!r}: the name is empty; give one such as 'gpt-5-mini'")
    return name

"""Models behind the OpenAI Chat Completions protocol, which every compatible server speaks.

1. One call is one request; it is asked again only without a parameter that the server refused by name.
2. Always streamed: a call that falls silent is noticed, and deltas come for free.
3. Only `openai.*` errors are caught, and every one becomes a `ModelError` with a kind.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, cast

from agentorch.core.usage import Usage
from agentorch.errors import MalformedOutput, ModelTimeout
from agentorch.models import failures
from agentorch.models.access import checked_key, checked_url
from agentorch.models.assembly import AnswerTooLong, Assembly
from agentorch.models.gate import Reason
from agentorch.models.pricing import Prices, preload
from agentorch.models.provider import OPENAI, PROCESS, Provider
from agentorch.models.quirks import Form, Quirks, quirks_for
from agentorch.models.silence import Silence
from agentorch.models.streaming import NotJsonError, closed, fed, opened, pieces
from agentorch.models.structured import unwrapped
from agentorch.models.terms import Terms
from agentorch.models.wire import parameters, wrapped
from agentorch.ports.model import ModelRequest, ModelResponse, OnDelta, wasted, wasted_by

_LOGGER = logging.getLogger(__name__)
_MOST_TOKENS = 10**9
"""Tokens beyond which a server's count of one call is no count."""


class Counted(Protocol):
    """A token count, as `agentorch.tokens.count` gives it."""

    @property
    def tokens(self) -> int:
        """How many."""
        ...


class Traffic(Protocol):
    """Who wants to know what a provider says about its limits: the governor."""

    def headers(self, headers: Mapping[str, str]) -> None:
        """Take note of the headers of an answer."""
        ...

    def limited(self, retry_after: float | None, reason: Reason | None = None) -> None:
        """Take note that the provider asked for fewer requests, and of what it says that there was too much of."""
        ...


@dataclass(frozen=True, slots=True)
class RoughCount:
    """A count from the length alone, for a model that was given no counter: three bytes a token."""

    tokens: int


def rough(text: str, model: str) -> RoughCount:
    """Count without any table; `model` makes no difference."""
    del model
    return RoughCount(-(-len(text.encode(errors="surrogatepass")) // 3))


class OpenAIModel:
    """A model behind an OpenAI-compatible server; see `agentorch.ports.model.Model` for what it promises."""

    def __init__(
        self,
        name: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        quirks: Quirks | Mapping[str, Any] | None = None,
        client: Any = None,
        count: Callable[[str, str], Counted] | None = None,
        prices: Prices | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        """Name a model; nothing is loaded or connected before the first call.

        `client` is an `AsyncOpenAI` of the caller's own, which the caller closes; `quirks` go on top of the table;
        `count` is `agentorch.tokens.count` or the like. `open_model` gives a `count` and a `traffic` that are missing.
        """
        self.name = name
        self._provider = _provider(client, api_key, base_url)
        self._quirks = quirks_for(self._provider.base_url, name, given=quirks)
        self._count = count
        self._prices = prices or Prices()
        self._traffic = traffic

    @property
    def priced(self) -> bool:
        """Whether the price of a call is known beforehand."""
        return self._prices.knows(self.name, base_url=self._provider.base_url)

    def cost(self, usage: Usage) -> float | None:
        """Return what `usage` costs in US dollars, or None when nobody knows."""
        return self._prices.cost(usage, model=self.name, base_url=self._provider.base_url)

    def count(self, text: str) -> int:
        """Return about how many tokens `text` is."""
        return (self._count or rough)(text, self.name).tokens

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be written nowhere: its key and its password."""
        return self._provider.secrets

    @property
    def provider(self) -> tuple[str, str | None]:
        """The address and the key with which it asks: what its limits belong to."""
        return self._provider.base_url, self._provider.api_key

    @property
    def understood(self) -> Quirks:
        """What its server understands, as far as that is known by now."""
        return self._provider.learned.get(self.name, self._quirks)

    def completed(self, *, traffic: Traffic, count: Callable[[str, str], Counted]) -> Self:
        """Return this model with the governor and the counter that it was not given; the connection is shared."""
        model = copy(self)
        model._traffic = self._traffic or traffic  # noqa: SLF001  # a copy of itself
        model._count = self._count or count  # noqa: SLF001
        return model

    async def close(self) -> None:
        """Let go of the connection; it is closed when no other model uses it."""
        await self._provider.release(self)

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Return the whole answer; `on_delta` sees its text as it comes."""
        await self._provider.ready()
        preload()
        import openai  # noqa: PLC0415  # loaded by now

        before = self.understood
        terms = Terms(request, before, refused=self._provider.refused_schemas)
        while True:
            form = terms.form
            try:
                answer = await self._ask(
                    parameters(request, model=self.name, quirks=terms.quirks, form=form), request, on_delta
                )
            except openai.APIStatusError as error:
                self._provider.reached = True
                if not terms.lowered(error):
                    raise self._failed(error) from error
                continue
            except openai.OpenAIError as error:
                failure, used = self._failed(error), wasted_by(error)
                if isinstance(failure, ModelTimeout) and not used.tokens:
                    used = self._usage(Assembly(), request)  # it may have been read
                wasted(failure, used)
                raise failure from error
            self._learn(before, terms)
            return self._response(answer, request, form)

    async def _ask(self, sent: dict[str, Any], request: ModelRequest, on_delta: OnDelta | None) -> Assembly:
        """Return a finished answer; whatever ends the call early tells what it has used."""
        answer = Assembly()
        try:
            return await self._answered(sent, request, answer, on_delta)
        except BaseException as error:
            if answer.begun or isinstance(error, ModelTimeout | asyncio.CancelledError):
                wasted(error, self._usage(answer, request))
            raise

    async def _answered(
        self, sent: dict[str, Any], request: ModelRequest, answer: Assembly, on_delta: OnDelta | None
    ) -> Assembly:
        try:
            async with Silence(request.silence) as silence:
                await self._stream(sent, request.silence, silence, answer, on_delta)
        except TimeoutError:
            if not answer.finished:  # else only the usage is missing
                raise failures.timed_out(request.silence, model=self.name, provider=self._provider) from None
        except NotJsonError as error:
            raise failures.broken_off(self.name, self._provider) from error
        except AnswerTooLong as error:
            raise MalformedOutput(f"{self.name}: {error}; it was not read on") from None
        if not answer.finished:
            raise failures.broken_off(self.name, self._provider)
        return answer

    async def _stream(
        self,
        sent: dict[str, Any],
        seconds: float | None,
        silence: Silence,
        answer: Assembly,
        on_delta: OnDelta | None,
    ) -> None:
        client = self._provider.client(self)
        stream = await opened(client, sent, seconds)
        self._provider.reached = answer.begun = True
        if self._traffic is not None:
            self._traffic.headers(stream.response.headers)
        try:
            async with aclosing(pieces(stream)) as coming:
                async for piece in coming:
                    silence.heard()
                    text = fed(answer, piece)
                    if text and on_delta is not None:
                        on_delta(text)
        finally:
            await closed(stream)

    def _learn(self, before: Quirks, terms: Terms) -> None:
        self._provider.refused_schemas |= terms.refused
        if terms.quirks != before:
            _LOGGER.warning("%s at %s: not understood, so no longer sent: %s -> %s",
                            self.name, self._provider.shown, before, terms.quirks)  # fmt: skip
            self._provider.learned[self.name] = terms.quirks

    def _failed(self, error: Any) -> Exception:
        failure = failures.failure_of(error, model=self.name, provider=self._provider)
        asked_to_slow_down = failures.status_of(error) == 429 or failure.retry_after is not None  # noqa: PLR2004
        if self._traffic is not None and asked_to_slow_down:
            response = getattr(error, "response", None)  # an error inside a stream has none
            if response is not None:
                self._traffic.headers(response.headers)
            self._traffic.limited(failure.retry_after, failures.reason_of(error))
        return failure

    def _response(self, answer: Assembly, request: ModelRequest, form: Form) -> ModelResponse:
        return ModelResponse(
            text=unwrapped(answer.text) if wrapped(request.output, form) else answer.text,
            finish_reason=answer.finish_reason,
            tool_calls=answer.tool_calls,
            refusal=answer.refusal,
            usage=self._usage(answer, request),
            model=answer.model or self.name,
        )

    def _usage(self, answer: Assembly, request: ModelRequest) -> Usage:
        usage = _reported(answer.usage) if answer.usage is not None else self._estimated(answer, request)
        cost = self.cost(usage)
        return replace(usage, unpriced=1) if cost is None else replace(usage, money=cost)

    def _estimated(self, answer: Assembly, request: ModelRequest) -> Usage:
        asked = "\n".join(message.content for message in request.messages) + "".join(map(str, request.tools))
        said = answer.text + "".join(call.name + call.arguments for call in answer.tool_calls)
        return Usage(self.count(asked), self.count(said), calls=1, approximate=True)


def _provider(client: Any, api_key: str | None, base_url: str | None) -> Provider:
    if client is not None:
        return Provider(str(client.base_url), api_key or client.api_key, client=client)
    return PROCESS.get(
        checked_url(base_url, name="base_url") if base_url else OPENAI, checked_key(api_key, name="api_key")
    )


def _reported(usage: Any) -> Usage:
    details = _field(usage, "prompt_tokens_details")
    cached = _tokens(details, "cached_tokens") or _tokens(usage, "prompt_cache_hit_tokens")
    asked, said = _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens")
    return Usage(asked, said, cached_tokens=min(cached, asked), calls=1)


def _tokens(usage: Any, name: str) -> int:
    """Return a count of the server's; what is none, or none that can be, is 0."""
    value = _field(usage, name)
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else 0


def _field(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None

"""What went wrong at a provider, as a `ModelError` of the kind that the ladder acts on.

| what came | kind |
|---|---|
| 408, 409, 425, 429, 5xx, a lost connection | transient, with the wait that was asked for |
| 401, 402, 403, 404, an unknown model, quota used up, no connection before the provider's first answer | unconfigured |
| 400 or 413 for a prompt that is too long, any other 4xx | permanent |
| 400 by a content filter | refused |
| an error inside an answer | as its code or its words say, else transient |

Every message is one line: the model, the server, what it said, the remedy. Never a key.
"""

from typing import Any, Final

from agentorch.errors import FailureKind, ModelError, ModelRefusal, ModelTimeout
from agentorch.models.gate import Reason
from agentorch.models.headers import retry_after
from agentorch.models.provider import Provider

_TRANSIENT: Final = frozenset({408, 409, 425, 429})
_QUOTA: Final = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_TOO_LONG: Final = (
    "context_length_exceeded",
    "context length",
    "context window",
    "prompt is too long",
    "too many tokens",
)
_FILTERED: Final = ("content_filter", "content_policy_violation", "content management policy")
_BAD_REQUEST: Final = frozenset({400, 422})
_BAD_MODEL: Final = (
    "model_not_found", "invalid_model", "not a valid model", "invalid model name", "unknown model", "no such model",
)  # fmt: skip
_SLOWER: Final = ("rate_limit", "rate limit", "too_many_requests")
_PERMANENT: Final = (*_TOO_LONG, *_FILTERED, "invalid_request_error")
_NO_CONNECTION: Final = frozenset({"ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol"})
_NOT_SENT: Final = "LocalProtocolError"
_BAD_KEY: Final = ("invalid_api_key", "api key not valid", "invalid api key")


def failure_of(error: Any, *, model: str, provider: Provider) -> ModelError:
    """Return the failure that an `openai.OpenAIError` stands for."""
    import openai  # noqa: PLC0415  # it raised the error, so it is loaded

    if isinstance(error, openai.APIConnectionError):
        return _by_connection(error, model=model, provider=provider)
    status = status_of(error)
    if status is not None:
        return _by_status(status, error, model=model, provider=provider)
    said = _said(error, provider)
    return ModelError(f"{model}: {provider.shown} broke the answer off: {said}", kind=FailureKind.TRANSIENT)


def status_of(error: Any) -> int | None:
    """Return the HTTP status of an error, or for one inside an answer the status that its words come to."""
    status = getattr(error, "status_code", None)
    if status is not None:
        return status
    code = str(getattr(error, "code", None) or "")
    if code.isdecimal() and 400 <= int(code) < 600:  # noqa: PLR2004
        return int(code)
    named = ((_QUOTA, 402), (_BAD_KEY, 401), (_BAD_MODEL, 404), (_SLOWER, 429), (_PERMANENT, 400))
    return next((status for words, status in named if _mentions(error, words)), None)


def reason_of(error: Any) -> Reason | None:
    """Return what a server says that there was too much of, if it says so."""
    kind = str(getattr(error, "type", None) or "")
    said = complaint(error)
    named: tuple[tuple[Reason, tuple[str, ...]], ...] = (
        ("concurrency", ("concurren", "at the same time")),
        ("tokens", ("tokens per", "(tpm)", "token rate")),
        ("requests", ("requests per", "(rpm)", "request rate")),
    )
    return next((reason for reason, words in named if kind == reason or any(word in said for word in words)), None)


def complaint(error: Any) -> str:
    """Return all that a server said in refusing a request, in lower case."""
    parts = (getattr(error, "param", None), getattr(error, "code", None), getattr(error, "message", None))
    return " ".join(str(part) for part in parts if part).lower()


def too_long(error: Any) -> bool:
    """Return whether the server says that the prompt does not fit the model."""
    return _mentions(error, _TOO_LONG)


def timed_out(seconds: float | None, *, model: str, provider: Provider) -> ModelTimeout:
    """Return the failure of a call that fell silent."""
    limit = f" for {seconds:g} s" if seconds else ""
    return ModelTimeout(f"{model}: {provider.shown} said nothing{limit}; the call is given up")


def broken_off(model: str, provider: Provider) -> ModelError:
    """Return the failure of a stream that ended before its finish reason."""
    return ModelError(
        f"{model}: the stream from {provider.shown} ended without a finish reason", kind=FailureKind.TRANSIENT
    )


def _by_status(status: int, error: Any, *, model: str, provider: Provider) -> ModelError:
    said, where = _said(error, provider), provider.shown
    unconfigured = FailureKind.UNCONFIGURED
    if status == 402 or _mentions(error, _QUOTA):  # noqa: PLR2004
        return _without_quota(said, model=model, provider=provider)
    if status == 401 or _mentions(error, _BAD_KEY):  # noqa: PLR2004
        remedy = "set OPENAI_API_KEY to a key that is valid there"
        return ModelError(f"{model}: {where} refuses the API key ({status}): {said}; {remedy}", kind=unconfigured)
    if status == 403:  # noqa: PLR2004
        remedy = "use a key (OPENAI_API_KEY) that may, or another model"
        return ModelError(f"{model}: {where} does not let this key use it (403): {said}; {remedy}", kind=unconfigured)
    if status == 404 or (status in _BAD_REQUEST and _mentions(error, _BAD_MODEL)):  # noqa: PLR2004
        remedy = "check the model's name and the base URL (OPENAI_BASE_URL)"
        return ModelError(f"{model}: {where} does not know this model ({status}): {said}; {remedy}", kind=unconfigured)
    if status in _TRANSIENT or status >= 500:  # noqa: PLR2004
        response = getattr(error, "response", None)  # an error inside an answer has none
        wait = None if response is None else retry_after(response.headers)
        return ModelError(f"{model}: {where} answers {status}: {said}", kind=FailureKind.TRANSIENT, retry_after=wait)
    if _mentions(error, _FILTERED):
        return ModelRefusal(f"{model}: a content filter of {where} refused the prompt: {said}")
    if status == 413 or too_long(error):  # noqa: PLR2004
        return ModelError(f"{model}: the prompt is too long for the model: {said}")
    return ModelError(f"{model}: {where} refuses the request ({status}): {said}")


def _by_connection(error: Any, *, model: str, provider: Provider) -> ModelError:
    import openai  # noqa: PLC0415

    # By name, because the client's HTTP library is its own business. A connection that was made and then broke is an
    # outage even the first time.
    connecting = type(error.__cause__).__name__ in _NO_CONNECTION
    why = provider.line(str(error.__cause__ or "") or str(error))
    if type(error.__cause__).__name__ == _NOT_SENT and "illegal" in why.lower():
        remedy = "check the key and the base URL (OPENAI_API_KEY, OPENAI_BASE_URL)"
        return ModelError(
            f"{model}: nothing can be sent to {provider.shown}: {why}; {remedy}", kind=FailureKind.UNCONFIGURED
        )
    if connecting and not provider.reached:
        remedy = "check the base URL (OPENAI_BASE_URL) and that the server runs"
        return ModelError(
            f"{model}: {provider.shown} cannot be reached: {why}; {remedy}", kind=FailureKind.UNCONFIGURED
        )
    if isinstance(error, openai.APITimeoutError):
        return timed_out(None, model=model, provider=provider)
    return ModelError(f"{model}: lost the connection to {provider.shown}: {why}", kind=FailureKind.TRANSIENT)


def _without_quota(said: str, *, model: str, provider: Provider) -> ModelError:
    remedy = "add credit, or set OPENAI_API_KEY to another account's key"
    return ModelError(
        f"{model}: the account at {provider.shown} has no quota left: {said}; {remedy}",
        kind=FailureKind.UNCONFIGURED,
    )


def _said(error: Any, provider: Provider) -> str:
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return provider.line(str(message or getattr(error, "message", "") or error))  # pyright: ignore[reportUnknownArgumentType]


def _mentions(error: Any, words: tuple[str, ...]) -> bool:
    said = f"{complaint(error)} {getattr(error, 'type', None) or ''}".lower()
    return any(word in said for word in words)

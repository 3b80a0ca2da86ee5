"""Access to a provider: its address and its key, checked before anything is sent, and shown without a secret.

1. What cannot work is said at once, in one line: neither a crash of the client's nor an outage that is waited for.
2. What is shown of a key is nothing; of an address, all but its user, its password and its query.
"""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from agentorch.errors import ConfigurationError

_USER: Final = re.compile(r"//.*@")
_QUERY: Final = re.compile(r"\?.*")
_HIDDEN: Final = "***"
_SHORTEST_SECRET: Final = 4
"""Characters; to take out every "k" of a message because the key is "k" hides nothing and garbles all."""


def checked_key(key: str | None, *, name: str) -> str | None:
    """Return the key without the blanks around it, None for an empty one; `name` is what it was given as.

    Raises ConfigurationError, which does not show it, for characters that no key has and no header can carry.
    """
    key = (key or "").strip()
    for place, letter in enumerate(key, 1):
        if not (letter.isascii() and letter.isprintable()):
            raise ConfigurationError(
                f"{name}: its character {place} of {len(key)} is U+{ord(letter):04X}, which no key has; copy the key "
                "again, without quotes or line breaks"
            )
    return key or None


def checked_url(url: str, *, name: str) -> str:
    """Return the address without the blanks around it and the last stroke; raises ConfigurationError in one line."""
    url = url.strip()
    wrong = _wrong_with(url)
    if wrong is not None:
        raise ConfigurationError(f"{name} is {shown(url)!r}: {wrong}; give one such as 'http://localhost:8000/v1'")
    return url.rstrip("/")


def shown(url: str) -> str:
    """Return an address, well-formed or not, as it may be shown."""
    return _QUERY.sub(f"?{_HIDDEN}", _USER.sub(f"//{_HIDDEN}@", url))


def secrets(url: str, key: str | None) -> tuple[str, ...]:
    """Return what must be in no message: the key and the password, in each way that they may be written."""
    known = [key or "", (key or "").strip()]
    user, found, _ = urlsplit(url).netloc.rpartition("@")
    if found:
        password = user.partition(":")[2]
        known += [user, password, unquote(password)]
    spelt = {*known, *(repr(secret)[1:-1] for secret in known)}
    return tuple(sorted((secret for secret in spelt if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True))


def _wrong_with(url: str) -> str | None:
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        return "there is a blank in it"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        (host or "").encode("idna")
    except ValueError as error:  # a UnicodeError, for a name that is none, is one too; its words may hold a password
        return "its port is no number up to 65535" if str(error).startswith("Port") else "its host is none"
    if parts.scheme not in {"http", "https"}:
        return "it must begin with http:// or https://"
    return None if host else "it names no server"

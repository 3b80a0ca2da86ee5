"""What secrets look like: keys, tokens, headers and passwords that are taken out of everything that is journaled.

1. A form is looked for only where one of its marks stands in the text: most texts hold none, and cost one search.
2. What one form leaves behind, none finds again: redacting twice is redacting once.
3. No form reaches over a quotation mark or a backslash, so that JSON in which a secret stood is JSON afterwards.
4. A form begins where a word does. A letter or a digit that ends an escape is no part of the word behind it: in JSON,
   in a `repr` and in an address, however often the escape itself was escaped.
5. The time is in proportion to the text. Where a form would look to the end of a word from each place in it at which
   one may begin, it steps over a word that holds none (group `none`), or looks so far and no farther.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of secret."""

    name: str
    """What is put in its place: `[redacted:name]`."""
    marks: tuple[str, ...]
    """Texts of which one stands in every secret of this form."""
    pattern: str
    """What it looks like; what is in a group `keep` stays, and all of it where `none` has matched."""


_ESCAPES: Final = (
    r"\\[abefnrtv0]",
    r"\\[0-3][0-7]{2}",
    r"\\x[0-9A-Fa-f]{2}",
    r"\\u[0-9A-Fa-f]{4}",
    r"\\U[0-9A-Fa-f]{8}",
    "%[0-9A-Fa-f]{2}",
    *(rf"\[{number}m" for number in ("", "[0-9]", "[0-9]{2}", "[0-9;]{4}")),
)
"""Spellings of one character that end in a letter or a digit, and of a terminal's colours, each of one length."""


def _begun(first: str) -> str:
    """Return the pattern of `first` where it begins a word; looking back from behind it is many times faster."""
    escaped = "|".join(f"(?<={escape}{first})" for escape in _ESCAPES)
    return f"{first}(?:(?<![A-Za-z0-9]{first})|{escaped})"


_QUOTE: Final = r"""\\{0,15}["']?"""
"""A quotation mark, or none, however often it is escaped."""
_SLASH: Final = r"\\{0,15}/"
"""A slash, which some escape too."""
_HEADER: Final = rf"authorization{_QUOTE}\s{{0,3}}[:=]\s{{0,3}}{_QUOTE}"
_SCHEME: Final = "(?:basic|digest|token|bearer|apikey|negotiate)"
_OF_PEM: Final = r"[A-Za-z0-9+/=\s,:-]|\\{1,15}[nrt/]"
_VALUE: Final = r"""[^\s"'\\,;\[\]{}<>]"""
_NO_DIGIT: Final = r"""[^\s"'\\,;\[\]{}<>0-9]"""
_OF_JWT: Final = "[A-Za-z0-9_-]"

FORMS: Final = (
    Form(
        "private-key",
        ("PRIVATE KEY-----",),
        rf"-----BEGIN [A-Z0-9 ]{{0,40}}PRIVATE KEY-----(?:{_OF_PEM})*?"
        rf"(?:-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY-----|(?!{_OF_PEM}))",
    ),
    Form("api-key", ("sk-",), _begun("sk-") + "(?:(?P<none>[A-Za-z_-]*+(?![0-9]))|[A-Za-z0-9_-]{16,})"),
    Form("aws-key", ("AKIA", "ASIA"), _begun("A[KS]IA") + r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    Form(
        "aws-secret",
        ("ecret_access_key", "ecretAccessKey", "ECRET_ACCESS_KEY"),
        rf"(?i:(?P<keep>secret_?access_?key{_QUOTE}\s{{0,3}}[:=]\s{{0,3}}{_QUOTE}))"
        rf"(?:[A-Za-z0-9+]|{_SLASH}){{40}}(?![A-Za-z0-9+/])",
    ),
    Form("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _begun("gh[pousr]_") + r"[A-Za-z0-9]{20,}"),
    Form("github-token", ("github_pat_",), _begun("github_pat_") + r"[A-Za-z0-9_]{20,}"),
    Form("slack-token", ("xox",), _begun("xox[abeoprs]-") + r"[A-Za-z0-9-]{10,}"),
    Form("slack-token", ("xapp-",), _begun("xapp-") + r"[A-Za-z0-9-]{10,}"),
    Form(
        "slack-hook",
        ("hooks.slack.com",),
        rf"(?P<keep>hooks\.slack\.com{_SLASH}(?:services|workflows){_SLASH})(?:[A-Za-z0-9_-]|{_SLASH}){{20,}}",
    ),
    Form("google-key", ("AIza",), _begun("AIza") + r"[A-Za-z0-9_-]{35}"),
    Form("google-token", ("ya29.",), _begun(r"ya29\.") + r"[A-Za-z0-9_-]{20,}"),
    Form(
        "jwt",
        ("eyJ",),
        rf"{_begun('eyJ')}(?:(?P<none>{_OF_JWT}*+(?!\.eyJ{_OF_JWT}{{8,}}+\.))"
        rf"|{_OF_JWT}{{8,}}\.eyJ{_OF_JWT}{{8,}}\.{_OF_JWT}*)",
    ),
    Form(
        "authorization", ("uthorization", "UTHORIZATION"), rf"(?i)(?P<keep>{_HEADER}{_SCHEME}\s+)(?!\[){_VALUE}{{6,}}"
    ),
    Form(
        "authorization",
        ("uthorization", "UTHORIZATION"),
        rf"(?i)(?P<keep>{_HEADER})(?!{_SCHEME}\b)(?={_NO_DIGIT}{{0,128}}[0-9]){_VALUE}{{12,}}",
    ),
    Form(
        "token",
        ("earer ", "EARER ", "earer%20"),
        rf"(?i)(?P<keep>{_begun('bearer')}(?: |%20){{1,3}})(?=[a-z0-9._~+/=-]*[0-9_~+/=])[a-z0-9._~+/=-]{{12,}}",
    ),
    Form(
        "password",
        ("://", r":\/", r":\\/"),
        rf"(?P<keep>:{_SLASH}{_SLASH}[^\s/@:\"'\\<>]{{0,128}}:)[^\s/@\"'\\<>\[\]]{{1,256}}(?=@)",
    ),
)
"""Every form, the ones that hold others first."""

NAMES: Final = re.compile(r"(?:authorization|secret_?access_?key)\Z", re.IGNORECASE)
"""Names in JSON that say what stands beside them: the forms that begin with them are looked for in `name: value`."""
SHORTEST_NAME: Final = 13
"""Characters of the shortest of them."""

"""What secrets look like: keys, tokens, headers and passwords that are taken out of everything that is journaled.

1. A form is looked for only where one of its marks stands in the text: most texts hold none, and cost one search.
2. What one form leaves behind, none finds again: redacting twice is redacting once.
3. No form reaches over a quotation mark or a backslash, so that JSON in which a secret stood is JSON afterwards.
"""

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
    """What it looks like; what is in a group `keep` stays."""


_HEADER: Final = r"""authorization\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?"""
_SCHEME: Final = "(?:basic|digest|token|bearer|apikey|negotiate)"
_VALUE: Final = r"""[^\s"'\\,;\[\]{}<>]"""

FORMS: Final = (
    Form(
        "private-key",
        ("PRIVATE KEY-----",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s,:-]|\\[nrt])*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|(?![A-Za-z0-9+/=\s,:-]|\\[nrt]))",
    ),
    Form("api-key", ("sk-",), r"(?<![A-Za-z0-9])sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}"),
    Form("aws-key", ("AKIA", "ASIA"), r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    Form(
        "aws-secret",
        ("ecret_access_key", "ecretAccessKey", "ECRET_ACCESS_KEY"),
        r"""(?i:(?P<keep>secret_?access_?key\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?))"""
        r"[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/])",
    ),
    Form("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{20,}"),
    Form("github-token", ("github_pat_",), r"(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{20,}"),
    Form("slack-token", ("xox",), r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    Form("slack-token", ("xapp-",), r"(?<![A-Za-z0-9])xapp-[A-Za-z0-9-]{10,}"),
    Form(
        "slack-hook", ("hooks.slack.com/",), r"(?P<keep>hooks\.slack\.com/(?:services|workflows)/)[A-Za-z0-9/_-]{20,}"
    ),
    Form("google-key", ("AIza",), r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"),
    Form("google-token", ("ya29.",), r"(?<![A-Za-z0-9])ya29\.[A-Za-z0-9_-]{20,}"),
    Form("jwt", ("eyJ",), r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    Form(
        "authorization", ("uthorization", "UTHORIZATION"), rf"(?i)(?P<keep>{_HEADER}{_SCHEME}\s+)(?!\[){_VALUE}{{6,}}"
    ),
    Form(
        "authorization",
        ("uthorization", "UTHORIZATION"),
        rf"(?i)(?P<keep>{_HEADER})(?!{_SCHEME}\b)(?={_VALUE}*[0-9]){_VALUE}{{12,}}",
    ),
    Form(
        "token",
        ("earer ", "EARER "),
        r"(?i)(?P<keep>\bbearer {1,3})(?=[a-z0-9._~+/=-]*[0-9_~+/=])[a-z0-9._~+/=-]{12,}",
    ),
    Form("password", ("://",), r"(?P<keep>://[^\s/@:\"'\\<>]{0,128}:)[^\s/@\"'\\<>\[\]]{1,256}(?=@)"),
)
"""Every form, the ones that hold others first."""

"""A validator's answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted, or problems in words that an agent can act on."""

    problems: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    """Names of the checks that found them, each once; empty while nobody has asked."""

    @classmethod
    def accept(cls) -> "Verdict":
        """The output is good."""
        return cls()

    @classmethod
    def reject(cls, *problems: str) -> "Verdict":
        """The output is not good; at least one problem says why."""
        if not problems:
            raise ValueError("Verdict.reject needs at least one problem in words")
        return cls(problems)

    @property
    def accepted(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

"""Durations, tokens and money in a few letters."""


def duration(value: float) -> str:
    """Return "<1 ms", "4 ms", "0.41 s", "2.3 s", "12 s", "3 m 05 s", "2 h 10 m"."""
    if value < 0.0095:  # noqa: PLR2004
        return "0 s" if value <= 0 else f"{1000 * value:.0f} ms" if value >= 0.0005 else "<1 ms"  # noqa: PLR2004
    if value < 0.995:  # noqa: PLR2004
        return f"{value:.2f} s"
    if value < 9.95:  # noqa: PLR2004
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} m {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} m"


def tokens(count: int, *, approximate: bool = False) -> str:
    """Return "812 tokens", "~4.1k tokens"; empty for none."""
    if not count:
        return ""
    short = f"{count:,}" if count < 10_000 else f"{count / 1000:,.1f}k"  # noqa: PLR2004
    return f"{'~' if approximate else ''}{short} tokens"


def money(amount: float, *, approximate: bool = False) -> str:
    """Return "$0.0012", "$12.40", "<$0.0001"; empty for nothing."""
    if not amount:
        return ""
    if amount < 0.00005:  # noqa: PLR2004
        return "<$0.0001"
    return f"{'~' if approximate else ''}${amount:.4f}" if amount < 1 else f"{'~' if approximate else ''}${amount:,.2f}"


def counted(number: int, noun: str, several: str = "") -> str:
    """Return "1 task", "1,204 tasks"; `several` is the noun's plural where it takes more than an s."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"


def joined(*said: str) -> str:
    """Return what there is, with dots between."""
    return " · ".join(part for part in said if part)

"""What fields begin with: thirty of a run's, of which a run that goes well needs ten.

1. What every run fills is made with it. Called, `dict[str, int]` takes six times as long as `dict`.
2. What few runs fill is, until then, an empty dict that all of them share, and that takes nothing.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn, cast

DICT: Final = cast("Callable[[], dict[Any, Any]]", dict)
LIST: Final = cast("Callable[[], list[Any]]", list)
SET: Final = cast("Callable[[], set[Any]]", set)


class _Shared(dict[Any, Any]):
    """An empty dict that stays one."""

    __slots__ = ()

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]  # so that a field may begin with it

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this dict is shared: write into what `own` returns")

    __setitem__ = setdefault = update = __ior__ = _refuse  # pyright: ignore[reportAssignmentType]


NONE: Final = cast("dict[Any, Any]", _Shared())
"""What a dict that few fill begins with; see `own`."""


def own(holder: object, name: str) -> dict[Any, Any]:
    """Return the dict `name` of `holder` to write into: its own, made when it is first written to."""
    held: dict[Any, Any] = getattr(holder, name)
    if type(held) is _Shared:
        held = {}
        setattr(holder, name, held)
    return held

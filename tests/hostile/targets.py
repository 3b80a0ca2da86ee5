"""All targets of the fuzzers, by name."""

from typing import Final

from tests.hostile import files, said, wire
from tests.hostile.target import Target

TARGETS: Final[dict[str, Target]] = {target.name: target for module in (files, said, wire) for target in module.TARGETS}

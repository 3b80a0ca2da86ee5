"""What a step gives, by the annotation of its function."""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any, get_type_hints

from agentorch.errors import ConfigurationError
from agentorch.signatures.output import Output, output_of_type


def output_of_step(name: str, function: Callable[..., Any]) -> Output:
    """Return what a function gives, by its return annotation; anything that is JSON where there is none."""
    try:
        annotation = get_type_hints(inspect.unwrap(function)).get("return", Any)
    except NameError as error:
        raise ConfigurationError(f"step {name!r}: its return annotation cannot be resolved: {error}") from None
    except TypeError:  # a built-in, a partial, an object that can be called
        annotation = Any
    try:
        return _output(annotation)
    except TypeError:  # an annotation that has no hash
        return output_of_type(annotation, what=f"step {name!r}")


@lru_cache(maxsize=512)
def _output(annotation: Any) -> Output:
    return output_of_type(annotation, what="a step")

"""The form that a model is asked for: safe for strict structured output."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from agentorch.planning.plan_schema import patch_form, plan_form
from agentorch.ports.model import OutputSchema


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        node = cast("dict[str, Any]", value)
        yield node
        for item in node.values():
            yield from nodes(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from nodes(item)


@pytest.mark.parametrize("form", [plan_form(), patch_form()], ids=["plan", "patch"])
def test_the_strict_schema(form: OutputSchema) -> None:
    """Every object is closed and requires all its fields; no defaults, no `oneOf`, no open dicts."""
    for node in nodes(form.schema):
        assert not {"default", "oneOf", "allOf", "patternProperties"} & node.keys()
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert sorted(node["required"]) == sorted(node["properties"])

"""What tests of prompting share."""

import pytest

from agentorch.prompts import Prompts


@pytest.fixture(scope="session")
def prompts() -> Prompts:
    """The built-in templates."""
    return Prompts()

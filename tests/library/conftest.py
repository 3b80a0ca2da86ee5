"""The fixture: a company's papers in six formats and PDF, copied so that tests may change them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentorch.library import Library
from tests.library.pdf_writer import pdf_of
from tests.library.questions import SAFETY_PDF

FIXTURE = Path(__file__).parent.parent / "fixtures" / "library"


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    shutil.copytree(FIXTURE, folder)
    (folder / "safety.pdf").write_bytes(pdf_of(SAFETY_PDF))
    return folder


@pytest.fixture
def library(papers: Path) -> Iterator[Library]:
    with Library([papers]) as library:
        yield library

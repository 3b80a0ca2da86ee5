"""The guide hangs together: each page is in the navigation, each public name in the reference, nothing from elsewhere.

The built pages are looked through by `.ci/run docs`, which needs the tools of the group `docs`; this needs nothing.
"""

import importlib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentorch import errors
from tests.docs import commands
from tests.docs.peers import LINE, PINS, PROGRAMS, program_of, said_by
from tests.test_examples import all_blocks

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
CONFIGURATION = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
LINKED_FROM_ANOTHER = re.compile(r"^decisions/\d")
"""Pages that a page of the navigation lists, so that the navigation need not."""


def in_navigation(entries: list[Any]) -> Iterator[str]:
    """Go through the pages of the navigation."""
    for entry in entries:
        for place in entry.values():
            yield from [place] if isinstance(place, str) else in_navigation(place)


def directives() -> dict[str, str]:
    """Return what the reference is about: dotted names, each with its page."""
    found = re.compile(r"^::: (\S+)$", re.MULTILINE)
    pages = sorted((DOCS / "reference").glob("*.md"))
    return {name: page.name for page in pages for name in found.findall(page.read_text(encoding="utf-8"))}


def test_every_page_is_in_the_navigation_once():
    """A page that nobody finds is no page; an entry that leads nowhere is an error that the tool does not name."""
    counted = Counter(in_navigation(CONFIGURATION["nav"]))
    assert {page: times for page, times in counted.items() if times > 1} == {}
    assert sorted(counted) == [page for page in PAGES if not LINKED_FROM_ANOTHER.match(page)]


def test_every_decision_is_listed():
    """The navigation leads to their list."""
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(
        page.removeprefix("decisions/") for page in PAGES if LINKED_FROM_ANOTHER.match(page)
    )


@pytest.mark.parametrize("module", ["agentorch", "agentorch.events", "agentorch.testing"])
def test_every_public_name_has_its_place_in_the_reference(module: str):
    """By itself, or with its module."""
    about = directives()
    names = [name for name in importlib.import_module(module).__all__ if not name.startswith("__")]
    homes = {name: getattr(getattr(importlib.import_module(module), name), "__module__", module) for name in names}
    assert names
    assert [name for name in names if not {f"{module}.{name}", module, homes[name]} & about.keys()] == []


def test_every_error_has_its_place_in_the_reference():
    """The module is there whole, and each class says when it is raised."""
    classes = [
        error for error in vars(errors).values() if isinstance(error, type) and error.__module__ == errors.__name__
    ]
    assert "agentorch.errors" in directives()
    assert [error.__name__ for error in classes if not error.__doc__] == []


def test_every_command_has_its_place_in_the_reference():
    """With all that it takes, in the words of its `--help`."""
    assert commands.PAGE.read_text(encoding="utf-8") == commands.page(), "write it anew: python -m tests.docs.commands"


def test_the_reference_is_about_what_is_there():
    """Each directive names a module, or something in one."""
    for name in directives():
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute) or importlib.import_module(name)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_needs_a_script_from_elsewhere(page: str):
    """Mermaid is drawn by a script that is fetched: pictures are drawn beforehand."""
    assert [block.line for block, _ in all_blocks(DOCS / page) if block.language == "mermaid"] == []


def test_nothing_is_fetched_when_a_page_is_read():
    """No font and no script; styles are files of the guide, and load nothing."""
    assert CONFIGURATION["theme"]["font"] is False
    assert "extra_javascript" not in CONFIGURATION
    for style in CONFIGURATION["extra_css"]:
        assert not re.search(r"url\(|@import", (DOCS / style).read_text(encoding="utf-8"))


def test_each_how_to_says_what_one_has_at_its_end():
    """In its first paragraph."""
    pages = [*sorted((DOCS / "how-to").glob("*.md")), *sorted((DOCS / "tutorial").glob("*.md"))]
    first = {page.name: page.read_text(encoding="utf-8").split("\n\n")[1] for page in pages}
    assert pages
    assert [
        name for name, text in first.items() if not re.match(r"At the end (you|your|no|nothing|a|of)\b", text)
    ] == []


def test_our_program_prints_the_line():
    """Those of the other frameworks are carried out by `python -m tests.docs.peers`."""
    assert said_by(PROGRAMS / "ours.py") == LINE


@pytest.mark.parametrize("name", PINS)
def test_the_program_of_another_framework_compiles_and_is_shown(name: str):
    """It shares what ours has, and its page shows the file itself."""
    text = program_of(name).read_text(encoding="utf-8")
    compile(text, str(program_of(name)), "exec")
    page = (PROGRAMS / f"{name.replace('_', '-')}.md").read_text(encoding="utf-8")
    assert "from source import LINE, look_up" in text
    columns = re.search(r'<div class="side-by-side" markdown>\n(.+?)\n</div>\n</div>\n', page, re.DOTALL)
    assert columns is not None
    beside = columns[1].split("<div markdown>")[1:]
    assert [re.findall(r'--8<-- "coming-from/(.+)"', one) for one in beside] == [["ours.py"], [program_of(name).name]]
    assert PINS[name].is_file()


def test_programs_side_by_side_are_not_wrapped():
    """A column of a page that is 1400 pixels wide holds 72 characters of code."""
    programs = [PROGRAMS / "ours.py", *map(program_of, PINS)]
    lines = [(program.name, line) for program in programs for line in program.read_text(encoding="utf-8").splitlines()]
    assert [(name, line) for name, line in lines if len(line) > 72] == []

"""`.ci/site.py` finds what it is there to find in a built site."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parent.parent.parent / ".ci" / "site.py"


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    """The program as a module, under a name that the standard library does not have."""
    spec = importlib.util.spec_from_file_location("built_site", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faults(checker: ModuleType, folder: Path, body: str, head: str = "") -> list[str]:
    """Return what is said of a site of two pages, the first of which has this in it."""
    (folder / "other").mkdir()
    (folder / "other" / "index.html").write_text('<h1 id="top">Other</h1><a href="..">back</a>', encoding="utf-8")
    (folder / "picture.svg").touch()
    (folder / "index.html").write_text(f"<head>{head}</head><body>{body}</body>", encoding="utf-8")
    return list(checker.Site(folder).faults())


SOUND = """
<h2 id="here">Here</h2> <a href="#here">1</a> <a href="other/">2</a> <a href="other/#top">3</a>
<a href="other/index.html">4</a> <a href="https://example.org/a?b#c">5</a> <img src="picture.svg">
<img src="data:image/png;base64,aa">
"""


def test_a_sound_site_has_no_faults(checker: ModuleType, tmp_path: Path):
    """Headings, folders, files, outer links and pictures are all found."""
    head = '<link rel="canonical" href="https://example.org/"><link rel="icon" href="picture.svg">'
    assert faults(checker, tmp_path, SOUND, head) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<a href="nowhere/">x</a>', "leads nowhere"),
        ('<a href="other/#bottom">x</a>', "no such heading"),
        ('<a href="#nothing">x</a>', "no such heading"),
        ('<a href="http://example.org/">x</a>', "no address of the form"),
        ('<a href="https://example/">x</a>', "no address of the form"),
        ('<a href="//example.org/">x</a>', "no address of the form"),
        ('<img src="absent.svg">', "is not there"),
        ('<script src="https://example.org/a.js"></script>', "comes from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "comes from elsewhere"),
        ('<pre class="mermaid">a</pre>', "a mermaid diagram"),
        ("<autoref>a</autoref>", "an unresolved reference"),
        ("<code>--8&lt;-- 'a.py'</code>", "a file that is not included"),
    ],
)
def test_a_fault_is_named_with_its_page(checker: ModuleType, tmp_path: Path, body: str, words: str):
    """One line for each."""
    found = faults(checker, tmp_path, body)
    assert len(found) == 1
    assert found[0].startswith("index.html: ")
    assert words in found[0]


def test_a_style_from_elsewhere_is_named(checker: ModuleType, tmp_path: Path):
    """A font, for one."""
    (tmp_path / "a.css").write_text('@import "https://example.org/font.css"; a { color: red }', encoding="utf-8")
    (tmp_path / "b.css").write_text("a { background: url(data:image/png;base64,aa) }", encoding="utf-8")
    assert faults(checker, tmp_path, SOUND) == ["a.css: a style from elsewhere"]


def test_a_public_name_without_a_place_is_named(checker: ModuleType, tmp_path: Path):
    """A reference that has nothing has none of them; one place will do for each."""
    assert faults(checker, tmp_path, '<h2 id="agentorch.Orchestrator">x</h2>') == []
    missing = list(checker.Site(tmp_path).missing())
    assert "the reference has no place for agentorch.Policy" in missing
    assert "the reference has no place for agentorch.events.RunStarted" in missing
    assert "the reference has no place for agentorch.Orchestrator" not in missing


def test_the_exit_code_says_whether_all_is_well(
    checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """A site without links is no site."""
    assert checker.main(tmp_path) == 1
    assert capsys.readouterr().out.endswith(
        "0 pages, 0 links, " + f"{len(list(checker.Site(tmp_path).missing()))} faults\n"
    )

"""Python agent files: how they share code, what is theirs, and what happens when one fails."""

import os
import sys
from pathlib import Path

import pytest

from agentorch.agents import Agent
from agentorch.errors import AgentFileError, ConfigurationError
from agentorch.loading import LoadedTeam, load_team

SHARED = '''
from agentorch.agents import Agent
from agentorch.tools import tool

@tool
def adder(first: int, second: int) -> int:
    """Adds."""
    return first + second

helper = Agent("helper", description="d", prompt="p")
'''
USER = """
{imports}
from agentorch.agents import agent

@agent(description="d")
def {name}(n: int) -> int:
    return adder(n, 1)
"""


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _user(folder: Path, name: str, imports: str) -> Path:
    return _file(folder, f"{name}.py", USER.format(name=name, imports=imports))


def _found(team: LoadedTeam, name: str) -> Agent:
    return next(one for one in team.agents if one.name == name)


def _call(team: LoadedTeam, name: str, number: int) -> object:
    function = _found(team, name).function
    assert function is not None
    return function(number)


@pytest.mark.parametrize(
    "imports",
    [
        "from shared import adder",
        "from .shared import adder",
        "import os, shared\nadder = shared.adder",
        "import shared as beside\nadder = beside.adder",
        "from . import shared\nadder = shared.adder",
        "def adder(n, m):\n    from shared import adder\n    return adder(n, m)",
        "from between import adder",
    ],
)
def test_files_of_a_folder_share_code(tmp_path: Path, imports: str):
    """Import the file beside with a dot or without; each agent and tool is there once, of the file that makes it."""
    _file(tmp_path, "shared.py", SHARED)
    _file(tmp_path, "between.py", "from shared import *")
    _user(tmp_path, "alpha", imports)
    _user(tmp_path, "omega", "from .shared import adder")
    path = list(sys.path)
    team = load_team([tmp_path])
    assert [_call(team, name, 2) for name in ("alpha", "omega")] == [3, 3]
    assert [(one.name, one.source) for one in team.agents] == [
        ("alpha", tmp_path / "alpha.py"),
        ("omega", tmp_path / "omega.py"),
        ("helper", tmp_path / "shared.py"),
    ]
    assert list(team.tools) == ["adder"]
    assert sys.path == path
    assert "shared" not in sys.modules


def test_two_folders_may_have_files_of_one_name(tmp_path: Path):
    """Each imports its own."""
    for folder, sign in (("one", "+"), ("two", "-")):
        _file(tmp_path / folder, "shared.py", f"def adder(n, m): return n {sign} m")
        _user(tmp_path / folder, folder, "from shared import adder")
    team = load_team([tmp_path / "one", tmp_path / "two"])
    assert [_call(team, name, 5) for name in ("one", "two")] == [6, 4]


@pytest.mark.parametrize("name", ["json", "colorsys"])
def test_what_is_installed_goes_before_the_file_beside(tmp_path: Path, name: str):
    """An agent file that is called like a package, imported before or not, does not take its place."""
    _file(tmp_path, f"{name}.py", "")
    _user(tmp_path, "alpha", f"import {name}\ndef adder(n, m): return {name}.__file__")
    assert _call(load_team([tmp_path]), "alpha", 4) != str(tmp_path / f"{name}.py")


def test_a_mere_folder_on_the_path_does_not_go_before_the_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is no package that was installed, though Python could take it for one."""
    (tmp_path / "path" / "shared").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "path"), *sys.path])
    _file(tmp_path / "agents", "shared.py", SHARED)
    _user(tmp_path / "agents", "alpha", "from shared import adder")
    assert _call(load_team([tmp_path / "agents"]), "alpha", 2) == 3


def test_a_file_that_was_named_alone_executes_no_other_unasked(tmp_path: Path):
    """Its folder was not named: a plain import finds nothing beside, and says how to ask for it."""
    _file(tmp_path, "shared.py", "from pathlib import Path\nPath(__file__).with_name('executed').touch()")
    path = _user(tmp_path, "alpha", "\nfrom shared import adder")
    with pytest.raises(AgentFileError) as caught:
        load_team([path])
    assert str(caught.value) == (
        f"{path}: line 3: ModuleNotFoundError: No module named 'shared'; "
        "for the file beside it write 'from .shared import ...'"
    )
    assert not (tmp_path / "executed").exists()


def test_a_file_that_was_named_may_import_the_one_beside_it_with_a_dot(tmp_path: Path):
    """It names it."""
    _file(tmp_path, "shared.py", SHARED)
    team = load_team([_user(tmp_path, "alpha", "from .shared import adder")])
    assert [one.name for one in team.agents] == ["alpha"]
    assert _call(team, "alpha", 2) == 3


def test_a_file_of_a_project_may_be_named_alone(tmp_path: Path):
    """All files of a project may be executed."""
    (tmp_path / "agentorch.toml").touch()
    _file(tmp_path, "agents/shared.py", SHARED)
    assert _call(load_team([_user(tmp_path / "agents", "alpha", "from shared import adder")]), "alpha", 2) == 3


def test_a_file_is_executed_again_when_it_has_changed(tmp_path: Path):
    """Or a file that it imports; the others keep their agents, and so their types."""
    shared = _file(tmp_path, "shared.py", "def adder(n, m): return n + m")
    _user(tmp_path, "alpha", "from between import adder")
    _file(tmp_path, "between.py", "from shared import adder")
    _user(tmp_path, "other", "adder = None")
    _user(tmp_path, "zeta", "import shared\nadder = shared.adder")
    first = load_team([tmp_path])
    again = load_team([tmp_path])
    stat = shared.stat()
    shared.write_text("def adder(n, m): return n - m")
    os.utime(shared, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # neither date nor size tells
    changed = load_team([tmp_path])
    assert [one is other for one, other in zip(first.agents, again.agents, strict=True)] == [True, True, True]
    assert [one is other for one, other in zip(first.agents, changed.agents, strict=True)] == [False, True, False]
    assert [_call(first, "alpha", 5), _call(changed, "alpha", 5), _call(changed, "zeta", 5)] == [6, 4, 4]


def test_files_may_import_each_other(tmp_path: Path):
    """In a ring, as modules of a package may."""
    _file(tmp_path, "shared.py", "from . import alpha\ndef adder(n, m): return n + m")
    _user(tmp_path, "alpha", "from . import shared\ndef adder(n, m): return shared.adder(n, m)")
    assert [_call(load_team([tmp_path]), "alpha", 1) for _ in range(2)] == [2, 2]


def test_the_same_tool_by_another_road_is_no_second_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file that imports its neighbour as a module of a package on the path defines nothing by that."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    _file(tmp_path, "pack_of_agents/shared.py", SHARED)
    _user(tmp_path / "pack_of_agents", "alpha", "from pack_of_agents.shared import adder")
    team = load_team([tmp_path / "pack_of_agents"])
    assert [one.name for one in team.agents] == ["alpha", "helper"]
    assert _call(team, "alpha", 2) == 3


def test_a_tool_from_elsewhere_may_be_named(tmp_path: Path):
    """By a Markdown file, as long as no file defines one of that name, and only one is meant."""
    for name in ("_lib", "_other"):
        _file(tmp_path, f"{name}.py", SHARED)
    _file(tmp_path, "tools.py", "from ._lib import adder")
    markdown = _file(tmp_path, "critic.md", "---\ndescription: d\ncapabilities: x\ntools: [adder]\n---\np")
    assert [str(tool) for tool in _found(load_team([tmp_path]), "critic").tools] == ["Tool('adder', effect='none')"]
    _file(tmp_path, "more.py", "from ._other import adder")
    with pytest.raises(AgentFileError, match="unknown tool 'adder'"):
        load_team([tmp_path])
    own = _file(tmp_path, "zz_own.py", SHARED.replace('"helper"', '"second"'))
    team = load_team([own, markdown])
    assert _found(team, "critic").tools == (team.tools["adder"],)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "\nimport sys\nsys.exit(3)",
            "line 3: SystemExit: 3; an agent file defines agents and must not end the program",
        ),
        ("from .shared import nothing", "line 1: ImportError: cannot import name 'nothing' from "),
        ("x = 1\nfrom .broken import y", "line 2: SyntaxError: {folder}/broken.py, line 3: "),
        ("raise ValueError('one\\n  two')", "line 1: ValueError: one two"),
    ],
)
def test_what_a_file_raises_is_an_error_of_the_file(tmp_path: Path, text: str, message: str):
    """In one line, with the place in it."""
    _file(tmp_path, "shared.py", "")
    _file(tmp_path, "broken.py", "\n\nx = (")
    path = _file(tmp_path, "bad.py", text)
    with pytest.raises(AgentFileError) as caught:
        load_team([path])
    assert str(caught.value).startswith(f"{path}: {message.format(folder=tmp_path)}")
    assert "\n" not in str(caught.value)


def test_a_file_that_failed_is_tried_again(tmp_path: Path):
    """Mended, it loads in the same process."""
    _file(tmp_path, "shared.py", "raise OSError")
    path = _user(tmp_path, "alpha", "from .shared import adder")
    with pytest.raises(AgentFileError, match="line 2: OSError"):
        load_team([path])
    _file(tmp_path, "shared.py", SHARED)
    assert _call(load_team([path]), "alpha", 2) == 3


def test_names_that_are_no_identifiers_are_files_too(tmp_path: Path):
    """With hyphens, dots and percent signs; each is its own file."""
    for name in ("my-agent", "my.agent", "my%2Eagent"):
        function = f"f{len(name)}{name[2] == '.'}".lower()
        _file(tmp_path, f"{name}.py", USER.format(name=function, imports="adder = None"))
    assert [one.name for one in load_team([tmp_path]).agents] == ["f10false", "f8false", "f8true"]


def test_a_folder_of_files_is_read_without_leaving_traces(tmp_path: Path):
    """No compiled code beside the agents."""
    _file(tmp_path, "shared.py", SHARED)
    _user(tmp_path, "alpha", "from shared import adder")
    load_team([tmp_path])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alpha.py", "shared.py"]


def test_two_files_that_define_a_tool_of_one_name_are_refused(tmp_path: Path):
    """A name means one thing, also when one of the files imports from the other."""
    _file(tmp_path, "shared.py", SHARED)
    _file(tmp_path, "omega.py", SHARED.replace('"helper"', '"second"') + "\nfrom .shared import helper")
    with pytest.raises(ConfigurationError, match="two tools are called 'adder'"):
        load_team([tmp_path])


def test_an_unchanged_ring_of_files_is_executed_once(tmp_path: Path):
    """However often it is loaded."""
    _file(tmp_path, "shared.py", "from . import alpha\ndef adder(n, m): return n + m")
    _user(tmp_path, "alpha", "from . import shared\ndef adder(n, m): return shared.adder(n, m)")
    first, second = load_team([tmp_path]), load_team([tmp_path])
    assert first.agents[0] is second.agents[0]
